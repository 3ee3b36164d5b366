//! Second factors: single use of steps and codes, the last required factor, the end of other
//! sessions.

use auth::{
    AccountChange, AccountStatus, AuthMethod, AuthMethods, AuthStore as _, Factor, FactorId,
    FactorKind, SecurityEpoch, SessionId, SessionKind, TokenHash,
    audit::AuditAction,
    store::{
        EndReason, FactorChange, FactorChangeRejected, FactorStore as _, KeyStore as _,
        MinimumFactors, Removal, StepUpRenewal,
    },
};
use serde_json::json;
use store::{Store, testing::TestDatabase};

use crate::builders::{
    actor, epoch_of, register, session_end, signed_in_with, start_session, timestamp, user,
};

crate::on_both_databases!(
    factors_round_trip_through_the_store,
    parallel_uses_of_totp_step_succeed_once,
    parallel_uses_of_recovery_code_succeed_once,
    stored_factor_change_ends_the_other_sessions,
    ended_session_cannot_change_factors,
    parallel_removals_keep_the_last_required_factor,
    recovery_code_is_removed_with_last_factor,
    duplicate_passkey_or_second_totp_is_rejected,
    passkey_counter_update_is_compare_and_swap,
    session_renewal_stores_time_and_methods,
    deleted_account_cannot_add_factors,
    totp_sealed_under_inactive_master_key_is_rejected,
);

async fn step_up_renewal(
    db: &TestDatabase,
    by: &str,
    session: &SessionId,
    methods: AuthMethods,
    at: i64,
) -> StepUpRenewal {
    let epoch = epoch_of(&db.store, by).await;
    StepUpRenewal {
        by: actor(by),
        epoch,
        session: session.clone(),
        methods,
        at: timestamp(at),
    }
}

fn factor(id: &str, of: &str, kind: FactorKind) -> Factor {
    Factor {
        id: FactorId::new(id),
        username: user(of),
        kind,
        name: format!("{id} of {of}"),
        body: format!("body of {id}"),
        counter: 7,
        created_at: timestamp(1),
        last_used_at: None,
        used_at: None,
    }
}

fn factor_addition(of: &str, add: Vec<Factor>) -> FactorChange {
    FactorChange {
        username: user(of),
        remove: Removal::Nothing,
        add,
        minimum: MinimumFactors::None,
        keep: None,
        unlink_identities: false,
        by: actor(of),
        action: AuditAction::FactorAdded,
        detail: json!({}),
        at: timestamp(2),
    }
}

fn factor_removal(of: &str, id: &str, minimum: MinimumFactors) -> FactorChange {
    let remove = Removal::One(FactorId::new(id));
    FactorChange {
        remove,
        minimum,
        action: AuditAction::FactorRemoved,
        ..factor_addition(of, Vec::new())
    }
}

async fn account_with_totp(store: &Store) -> Factor {
    register(store, &["ada"]).await;
    let app = factor("app", "ada", FactorKind::Totp);
    store
        .change_factors(factor_addition("ada", vec![app.clone()]))
        .await
        .unwrap();
    app
}

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
