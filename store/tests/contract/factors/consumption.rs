//! Codes and steps are used once.

use auth::{Factor, FactorId, FactorKind, TokenHash, store::FactorStore as _};
use store::testing::TestDatabase;

use super::{account_with_totp, factor, factor_addition};
use crate::builders::{actor, timestamp};

crate::on_both_databases!(
    parallel_uses_of_totp_step_succeed_once,
    parallel_uses_of_recovery_code_succeed_once,
);

async fn parallel_uses_of_totp_step_succeed_once(db: TestDatabase) {
    let app = account_with_totp(&db.store).await;
    let tries = (0..30).map(|_| {
        let (store, id) = (db.store.clone(), app.id.clone());
        tokio::spawn(async move { store.consume_totp_step(&id, 8, timestamp(3)).await.unwrap() })
    });
    let mut good = 0;
    for one in tries.collect::<Vec<_>>() {
        good += u32::from(one.await.unwrap());
    }
    assert_eq!(good, 1);
    assert!(
        !db.store
            .consume_totp_step(&app.id, 7, timestamp(3))
            .await
            .unwrap(),
        "an older step after a newer one"
    );
    assert!(
        db.store
            .consume_totp_step(&app.id, 9, timestamp(4))
            .await
            .unwrap()
    );
    assert_eq!(
        db.store
            .factor(&app.id)
            .await
            .unwrap()
            .unwrap()
            .last_used_at,
        Some(timestamp(4))
    );
}

async fn parallel_uses_of_recovery_code_succeed_once(db: TestDatabase) {
    account_with_totp(&db.store).await;
    let codes = ["one", "two"].map(|id| Factor {
        body: id.to_owned(),
        ..factor(id, "ada", FactorKind::Recovery)
    });
    db.store
        .change_factors(factor_addition("ada", codes.to_vec()))
        .await
        .unwrap();
    let use_of = |of: &'static str| {
        let store = db.store.clone();
        async move {
            store
                .consume_recovery_code(&actor(of), &TokenHash::new("one"), timestamp(3))
                .await
                .unwrap()
        }
    };
    assert_eq!(use_of("eve").await, None);
    let tries: Vec<_> = (0..30).map(|_| tokio::spawn(use_of("ada"))).collect();
    let mut codes_left = Vec::new();
    for one in tries {
        codes_left.extend(one.await.unwrap());
    }
    assert_eq!(codes_left, [1]);
    let used = db
        .store
        .factor(&FactorId::new("one"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(used.used_at, Some(timestamp(3)));
}
