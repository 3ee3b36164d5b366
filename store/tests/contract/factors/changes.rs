//! Changes of factors, and the sessions they end.

use auth::{
    AccountChange, AccountStatus, AuthMethod, AuthMethods, AuthStore as _, FactorKind, SessionId,
    SessionKind,
    store::{EndReason, FactorChange, FactorChangeRejected, FactorStore as _, MinimumFactors},
};
use store::testing::TestDatabase;

use super::{account_with_totp, factor, factor_addition, factor_removal, step_up_renewal};
use crate::builders::{
    actor, register, session_end, signed_in_with, start_session, timestamp, user,
};

crate::on_both_databases!(
    stored_factor_change_ends_the_other_sessions,
    ended_session_cannot_change_factors,
    parallel_removals_keep_the_last_required_factor,
    recovery_code_is_removed_with_last_factor,
    deleted_account_cannot_add_factors,
);

async fn stored_factor_change_ends_the_other_sessions(db: TestDatabase) {
    register(&db.store, &["ada", "bob"]).await;
    let this = start_session(&db.store, "ada", "this").await;
    let others = [
        start_session(&db.store, "ada", "other").await,
        signed_in_with(&db.store, "ada", "web", SessionKind::Web).await,
        signed_in_with(&db.store, "ada", "personal", SessionKind::Personal).await,
    ];
    let bobs = start_session(&db.store, "bob", "bob's").await;
    let methods = AuthMethods::of(&[AuthMethod::Password, AuthMethod::Otp]);
    let add = factor_addition("ada", vec![factor("app", "ada", FactorKind::Totp)]);
    db.store
        .change_factors(FactorChange {
            keep: Some((this.clone(), methods)),
            ..add
        })
        .await
        .unwrap();
    let session = async |id: &SessionId| db.store.session(id).await.unwrap().unwrap();
    assert_eq!(
        (session(&this).await.ended_at, session(&this).await.methods),
        (None, methods)
    );
    for other in &others {
        let other = session(other).await;
        assert_eq!(other.ended_at, Some(timestamp(2)), "{:?}", other.kind);
    }
    assert_eq!(session(&bobs).await.ended_at, None);
    let events = db.store.account_events_after(0).await.unwrap();
    assert_eq!(events.last().unwrap().username, user("ada"));
}

async fn ended_session_cannot_change_factors(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let this = start_session(&db.store, "ada", "this").await;
    db.store
        .end_session(
            &user("ada"),
            &this,
            session_end(EndReason::EndedByOwner, "ada", 1),
        )
        .await
        .unwrap();
    let add = factor_addition("ada", vec![factor("app", "ada", FactorKind::Totp)]);
    let change = FactorChange {
        keep: Some((this.clone(), AuthMethods::NONE)),
        ..add
    };
    assert!(matches!(
        db.store.change_factors(change).await,
        Err(FactorChangeRejected::SessionEnded)
    ));
    assert!(db.store.factors(&user("ada")).await.unwrap().is_empty());
    assert!(
        !db.store
            .renew_session(step_up_renewal(&db, "ada", &this, AuthMethods::NONE, 3).await)
            .await
            .unwrap()
    );
}

async fn parallel_removals_keep_the_last_required_factor(db: TestDatabase) {
    account_with_totp(&db.store).await;
    db.store
        .change_factors(factor_addition(
            "ada",
            vec![factor("key", "ada", FactorKind::Passkey)],
        ))
        .await
        .unwrap();
    let [one, two] = ["app", "key"].map(|id| {
        let store = db.store.clone();
        tokio::spawn(async move {
            store
                .change_factors(factor_removal("ada", id, MinimumFactors::One))
                .await
        })
    });
    let answers = [one.await.unwrap(), two.await.unwrap()];
    assert_eq!(
        answers.iter().filter(|answer| answer.is_ok()).count(),
        1,
        "{answers:?}"
    );
    assert!(
        answers
            .iter()
            .any(|answer| matches!(answer, Err(FactorChangeRejected::LastFactor))),
        "{answers:?}"
    );
    assert_eq!(db.store.factors(&user("ada")).await.unwrap().len(), 1);
}

async fn recovery_code_is_removed_with_last_factor(db: TestDatabase) {
    account_with_totp(&db.store).await;
    db.store
        .change_factors(factor_addition(
            "ada",
            vec![factor("code", "ada", FactorKind::Recovery)],
        ))
        .await
        .unwrap();
    let unknown = db
        .store
        .change_factors(factor_removal("ada", "nobody's", MinimumFactors::None))
        .await;
    assert!(matches!(unknown, Err(FactorChangeRejected::NoSuchFactor)));
    db.store
        .change_factors(factor_removal("ada", "app", MinimumFactors::None))
        .await
        .unwrap();
    assert!(db.store.factors(&user("ada")).await.unwrap().is_empty());
}

async fn deleted_account_cannot_add_factors(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let gone = AccountChange {
        status: Some(AccountStatus::Deleted),
        ..AccountChange::default()
    };
    db.store
        .change_account(&user("ada"), gone, actor("root"), timestamp(1))
        .await
        .unwrap();
    let add = db
        .store
        .change_factors(factor_addition(
            "ada",
            vec![factor("app", "ada", FactorKind::Totp)],
        ))
        .await;
    assert!(matches!(add, Err(FactorChangeRejected::NoSuchAccount)));
}
