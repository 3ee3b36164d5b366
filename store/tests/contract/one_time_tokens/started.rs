//! Tokens that an account starts as often as it likes.

use auth::{
    TokenHash,
    store::{OneTimeKind, OneTimeToken, OneTimeTokenStore as _},
};
use store::testing::TestDatabase;

use crate::builders::{register, timestamp, user};

const MAX_STARTED: i64 = 256;

fn started(kind: OneTimeKind, of: &str, nth: i64) -> OneTimeToken {
    OneTimeToken {
        kind,
        hash: TokenHash::new(&format!("{of} {nth}")),
        username: Some(user(of)),
        body: "{}".to_owned(),
        created_at: timestamp(nth),
        expires_at: timestamp(100_000),
    }
}

async fn tokens_started_by_one_account_are_limited(db: TestDatabase) {
    register(&db.store, &["ada", "bob"]).await;
    let ada = user("ada");
    for kind in [OneTimeKind::Ceremony, OneTimeKind::SecondFactor] {
        db.store
            .insert_token(started(kind, "bob", 0))
            .await
            .unwrap();
        for nth in 0..MAX_STARTED + 5 {
            db.store
                .insert_token(started(kind, "ada", nth))
                .await
                .unwrap();
        }
        let left = db.store.list_tokens(kind, Some(&ada), timestamp(1_000));
        assert_eq!(
            left.await.unwrap().len(),
            usize::try_from(MAX_STARTED).unwrap()
        );
        let find = async |of: &str, nth| {
            let hash = started(kind, of, nth).hash;
            db.store
                .find_token(kind, &hash, timestamp(1_000))
                .await
                .unwrap()
        };
        assert!(find("ada", 4).await.is_none());
        assert!(find("ada", 5).await.is_some());
        assert!(find("bob", 0).await.is_some(), "others have their own");
    }
}

crate::on_both_databases!(tokens_started_by_one_account_are_limited);
