//! Factors as rows: what is stored, replaced and rejected.

use auth::{
    AuthMethod, AuthMethods, AuthStore as _, Factor, FactorId, FactorKind, SecurityEpoch,
    store::{FactorChangeRejected, FactorStore as _, KeyStore as _, MinimumFactors, StepUpRenewal},
};
use store::testing::TestDatabase;

use super::{account_with_totp, factor, factor_addition, factor_removal, step_up_renewal};
use crate::builders::{register, start_session, timestamp, user};

crate::on_both_databases!(
    factors_round_trip_through_the_store,
    duplicate_passkey_or_second_totp_is_rejected,
    passkey_counter_update_is_compare_and_swap,
    session_renewal_stores_time_and_methods,
    totp_sealed_under_inactive_master_key_is_rejected,
);

async fn factors_round_trip_through_the_store(db: TestDatabase) {
    let app = account_with_totp(&db.store).await;
    let code = factor("code", "ada", FactorKind::Recovery);
    db.store
        .change_factors(factor_addition("ada", vec![code.clone()]))
        .await
        .unwrap();
    assert_eq!(
        db.store.factors(&user("ada")).await.unwrap(),
        vec![app.clone(), code]
    );
    assert_eq!(db.store.factor(&app.id).await.unwrap(), Some(app));
    assert_eq!(
        db.store.factor(&FactorId::new("nobody's")).await.unwrap(),
        None
    );
    let member = db.store.member(&user("ada")).await.unwrap().unwrap();
    assert_eq!(
        member.factors.iter().collect::<Vec<_>>(),
        [FactorKind::Totp]
    );
    assert!(
        db.store
            .rename_factor(&user("ada"), &FactorId::new("app"), "my phone".to_owned())
            .await
            .unwrap()
    );
    assert!(
        !db.store
            .rename_factor(&user("eve"), &FactorId::new("app"), "my phone".to_owned())
            .await
            .unwrap()
    );
    assert_eq!(
        db.store
            .factor(&FactorId::new("app"))
            .await
            .unwrap()
            .unwrap()
            .name,
        "my phone"
    );
}

async fn duplicate_passkey_or_second_totp_is_rejected(db: TestDatabase) {
    account_with_totp(&db.store).await;
    register(&db.store, &["eve"]).await;
    db.store
        .change_factors(factor_addition(
            "ada",
            vec![factor("key", "ada", FactorKind::Passkey)],
        ))
        .await
        .unwrap();
    let twin = db
        .store
        .change_factors(factor_addition(
            "eve",
            vec![factor("key", "eve", FactorKind::Passkey)],
        ))
        .await;
    assert!(matches!(twin, Err(FactorChangeRejected::Duplicate)));
    let second = db
        .store
        .change_factors(factor_addition(
            "ada",
            vec![factor("app 2", "ada", FactorKind::Totp)],
        ))
        .await;
    assert!(matches!(second, Err(FactorChangeRejected::Duplicate)));
    let foreign = db
        .store
        .change_factors(factor_removal("eve", "key", MinimumFactors::None))
        .await;
    assert!(matches!(foreign, Err(FactorChangeRejected::NoSuchFactor)));
}

async fn passkey_counter_update_is_compare_and_swap(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let key = factor("key", "ada", FactorKind::Passkey);
    db.store
        .change_factors(factor_addition("ada", vec![key.clone()]))
        .await
        .unwrap();
    assert!(
        db.store
            .update_factor_if(&key, "newer".to_owned(), 8, timestamp(5))
            .await
            .unwrap()
    );
    assert!(
        !db.store
            .update_factor_if(&key, "newest".to_owned(), 9, timestamp(6))
            .await
            .unwrap()
    );
    let now = db.store.factor(&key.id).await.unwrap().unwrap();
    assert_eq!(
        (now.body.as_str(), now.counter, now.last_used_at),
        ("newer", 8, Some(timestamp(5)))
    );
}

async fn session_renewal_stores_time_and_methods(db: TestDatabase) {
    register(&db.store, &["ada", "eve"]).await;
    let id = start_session(&db.store, "ada", "one").await;
    let methods = AuthMethods::of(&[AuthMethod::Password, AuthMethod::Recovery]);
    assert!(
        !db.store
            .renew_session(step_up_renewal(&db, "eve", &id, methods, 8).await)
            .await
            .unwrap()
    );
    let elsewhere = StepUpRenewal {
        epoch: SecurityEpoch::from_stored(7),
        ..step_up_renewal(&db, "ada", &id, methods, 8).await
    };
    assert!(
        !db.store.renew_session(elsewhere).await.unwrap(),
        "proved in another security epoch"
    );
    assert!(
        db.store
            .renew_session(step_up_renewal(&db, "ada", &id, methods, 9).await)
            .await
            .unwrap()
    );
    let session = db.store.session(&id).await.unwrap().unwrap();
    assert_eq!(
        (session.auth_time, session.methods),
        (timestamp(9), methods)
    );
    assert_eq!(db.store.last_account_event().await.unwrap(), 1);
}

async fn totp_sealed_under_inactive_master_key_is_rejected(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    assert!(
        db.store
            .set_master_id("aaaa", None, timestamp(0))
            .await
            .unwrap()
    );
    let app = |under: &str| Factor {
        body: format!("{under}.sealed"),
        ..factor("app", "ada", FactorKind::Totp)
    };
    let late = db
        .store
        .change_factors(factor_addition("ada", vec![app("bbbb")]))
        .await;
    assert!(
        matches!(late, Err(FactorChangeRejected::Store(_))),
        "{late:?}"
    );
    assert_eq!(db.store.factors(&user("ada")).await.unwrap(), []);
    db.store
        .change_factors(factor_addition("ada", vec![app("aaaa")]))
        .await
        .unwrap();
}
