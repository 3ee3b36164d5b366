//! Devices and networks that are known to an account.

use auth::{AuthStore as _, SecurityEpoch, Session, SessionKind, TokenHash, store::AttemptSource};
use store::testing::TestDatabase;

use super::{known_sources, network, origin_from, session_from};
use crate::builders::{register, timestamp};

crate::on_both_databases!(
    sign_in_origin_is_known_to_its_account,
    known_origins_per_account_are_limited_to_50,
    personal_token_use_makes_no_origin_known,
);

async fn sign_in_origin_is_known_to_its_account(db: TestDatabase) {
    register(&db.store, &["ada", "eve"]).await;
    let here = origin_from("2001:db8:1:2:3::4", Some("her browser"));
    db.store
        .start_session(
            session_from("one", "ada", here.clone()),
            TokenHash::new("one"),
            SecurityEpoch::default(),
        )
        .await
        .unwrap();
    let neighbour = origin_from("2001:db8:1:2:ffff::1", Some("another browser"));
    assert_eq!(
        known_sources(&db.store, "ada", &here.sources()).await.len(),
        2
    );
    assert_eq!(
        known_sources(&db.store, "ada", &neighbour.sources()).await,
        [AttemptSource::NetworkPrefix(network("2001:db8:1:2::"))]
    );
    assert_eq!(
        known_sources(&db.store, "ada", &origin_from("192.0.2.1", None).sources()).await,
        []
    );
    assert_eq!(known_sources(&db.store, "eve", &here.sources()).await, []);
}

async fn known_origins_per_account_are_limited_to_50(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for n in 0..60 {
        let origin = origin_from(&format!("192.0.2.{n}"), None);
        let session = Session {
            last_seen: timestamp(n),
            ..session_from(&n.to_string(), "ada", origin)
        };
        db.store
            .start_session(
                session,
                TokenHash::new(&n.to_string()),
                SecurityEpoch::default(),
            )
            .await
            .unwrap();
    }
    let is_known = async |n: u8| {
        known_sources(
            &db.store,
            "ada",
            &origin_from(&format!("192.0.2.{n}"), None).sources(),
        )
        .await
        .len()
    };
    assert_eq!(
        (is_known(9).await, is_known(10).await, is_known(59).await),
        (0, 1, 1)
    );
}

async fn personal_token_use_makes_no_origin_known(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let origin = origin_from("192.0.2.1", None);
    let session = Session {
        kind: SessionKind::Personal,
        ..session_from("token", "ada", origin.clone())
    };
    db.store
        .start_session(session, TokenHash::new("token"), SecurityEpoch::default())
        .await
        .unwrap();
    assert_eq!(known_sources(&db.store, "ada", &origin.sources()).await, []);
}
