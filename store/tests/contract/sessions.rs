//! Sessions: start, activity, end and purge.

use auth::{
    AuthStore as _, SecurityEpoch, Session, SessionId, SessionKind, TokenHash,
    audit::{AuditAction, AuditQuery, Chain, NewAuditEntry},
    store::{AuditStore as _, EndReason, RefreshRotation, Rotation},
};
use store::testing::TestDatabase;

use crate::builders::{register, session, session_end, start_session, timestamp, user};

crate::on_both_databases!(
    session_round_trips_through_the_store,
    cookie_finds_its_session_until_session_end,
    session_ends_once_and_by_its_owner,
    ending_other_sessions_in_store_keeps_current,
    live_sessions_are_sorted_by_last_activity,
    session_activity_time_never_decreases,
    ended_sessions_are_purged_with_their_tokens,
    audit_entry_accepts_arbitrary_text,
);

async fn session_round_trips_through_the_store(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for kind in [SessionKind::Web, SessionKind::OAuth] {
        let given = session(&format!("{kind:?}"), "ada", kind);
        db.store
            .start_session(
                given.clone(),
                TokenHash::new(&format!("{kind:?}")),
                SecurityEpoch::default(),
            )
            .await
            .unwrap();
        assert_eq!(db.store.session(&given.id).await.unwrap(), Some(given));
    }
    assert_eq!(
        db.store.session(&SessionId::new("nobody's")).await.unwrap(),
        None
    );
}

async fn cookie_finds_its_session_until_session_end(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let given = session("web", "ada", SessionKind::Web);
    let cookie = TokenHash::new("cookie");
    db.store
        .start_session(given.clone(), cookie.clone(), SecurityEpoch::default())
        .await
        .unwrap();
    start_session(&db.store, "ada", "refresh").await;
    assert_eq!(
        db.store.session_by_cookie(&cookie).await.unwrap(),
        Some(given.clone())
    );
    assert_eq!(
        db.store
            .session_by_cookie(&TokenHash::new("refresh"))
            .await
            .unwrap(),
        None,
        "a refresh token is not a cookie"
    );
    assert!(
        db.store
            .session_by_refresh(&cookie)
            .await
            .unwrap()
            .is_none(),
        "a cookie is not a refresh token"
    );
    assert!(
        db.store
            .end_session(
                &user("ada"),
                &given.id,
                session_end(EndReason::SignedOut, "ada", 9)
            )
            .await
            .unwrap()
    );
    assert_eq!(db.store.session_by_cookie(&cookie).await.unwrap(), None);
}

async fn session_ends_once_and_by_its_owner(db: TestDatabase) {
    register(&db.store, &["ada", "eve"]).await;
    let id = start_session(&db.store, "ada", "one").await;
    let end = async |of, at| {
        db.store
            .end_session(&user(of), &id, session_end(EndReason::EndedByOwner, of, at))
            .await
            .unwrap()
    };
    assert!(!end("eve", 1).await);
    assert_eq!(db.store.last_account_event().await.unwrap(), 0);
    assert!(end("ada", 2).await);
    assert!(!end("ada", 3).await);
    assert_eq!(
        db.store.session(&id).await.unwrap().unwrap().ended_at,
        Some(timestamp(2))
    );
    assert_eq!(db.store.last_account_event().await.unwrap(), 1);
}

async fn ending_other_sessions_in_store_keeps_current(db: TestDatabase) {
    register(&db.store, &["ada", "bob"]).await;
    let keep = start_session(&db.store, "ada", "one").await;
    start_session(&db.store, "ada", "two").await;
    start_session(&db.store, "ada", "three").await;
    start_session(&db.store, "bob", "four").await;
    let why = session_end(EndReason::EndedByOwner, "ada", 1);
    assert_eq!(
        db.store
            .end_sessions(&user("ada"), Some(&keep), why.clone())
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        db.store
            .end_sessions(&user("ada"), Some(&keep), why.clone())
            .await
            .unwrap(),
        0
    );
    let left = async |of| {
        db.store
            .sessions_of(&user(of), timestamp(2))
            .await
            .unwrap()
            .len()
    };
    assert_eq!((left("ada").await, left("bob").await), (1, 1));
    assert_eq!(
        db.store
            .end_sessions(&user("ada"), None, why)
            .await
            .unwrap(),
        1
    );
}

async fn live_sessions_are_sorted_by_last_activity(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let old = start_session(&db.store, "ada", "old").await;
    let new = start_session(&db.store, "ada", "new").await;
    let short = Session {
        expires_at: timestamp(50),
        ..session("short", "ada", SessionKind::Web)
    };
    db.store
        .start_session(short, TokenHash::new("short"), SecurityEpoch::default())
        .await
        .unwrap();
    db.store.touch_session(&new, timestamp(20)).await.unwrap();
    db.store.touch_session(&old, timestamp(10)).await.unwrap();
    let ids = async |at| -> Vec<SessionId> {
        db.store
            .sessions_of(&user("ada"), timestamp(at))
            .await
            .unwrap()
            .into_iter()
            .map(|session| session.id)
            .collect()
    };
    assert_eq!(
        ids(49).await,
        [new.clone(), old.clone(), SessionId::new("short")]
    );
    assert_eq!(ids(50).await, [new, old], "expired sessions are not listed");
    let member = db.store.member(&user("ada")).await.unwrap().unwrap();
    assert_eq!(member.last_seen, Some(timestamp(20)));
}

async fn session_activity_time_never_decreases(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let id = start_session(&db.store, "ada", "one").await;
    for at in [30, 20] {
        db.store.touch_session(&id, timestamp(at)).await.unwrap();
    }
    assert_eq!(
        db.store.session(&id).await.unwrap().unwrap().last_seen,
        timestamp(30)
    );
}

async fn ended_sessions_are_purged_with_their_tokens(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let mut ids = Vec::new();
    for n in 0..450 {
        ids.push(start_session(&db.store, "ada", &format!("token{n}")).await);
    }
    let keep = ids.last().unwrap();
    db.store
        .end_sessions(
            &user("ada"),
            Some(keep),
            session_end(EndReason::SignedOut, "ada", 10),
        )
        .await
        .unwrap();
    assert_eq!(db.store.purge_ended(timestamp(10)).await.unwrap(), 0);
    assert_eq!(db.store.purge_ended(timestamp(11)).await.unwrap(), 449);
    assert_eq!(db.store.session(&ids[0]).await.unwrap(), None);
    assert!(db.store.session(keep).await.unwrap().is_some());
    let rotate = RefreshRotation {
        old: TokenHash::new("token0"),
        new: TokenHash::new("next"),
        at: timestamp(12),
        idle_since: timestamp(0),
        grace_since: timestamp(0),
    };
    assert!(matches!(
        db.store.rotate_refresh(rotate).await.unwrap(),
        Rotation::Invalid
    ));
    assert!(
        db.store
            .session_by_refresh(&TokenHash::new("token449"))
            .await
            .unwrap()
            .is_some()
    );
}

async fn audit_entry_accepts_arbitrary_text(db: TestDatabase) {
    let origin = session("x", "ada", SessionKind::Web).origin;
    for typed in [
        "",
        "ada\0",
        "'; DROP TABLE accounts; --",
        &"ü".repeat(10_000),
        "\u{202e}",
    ] {
        let record = NewAuditEntry::attempt(None, &origin, AuditAction::SignInFailed, timestamp(1))
            .subject(typed);
        db.store
            .record(record.with_detail(|detail| detail.reason(typed).with(typed, typed)))
            .await
            .unwrap();
    }
    let verdict = db.store.verify_audit(&Chain::Accounts).await.unwrap();
    assert_eq!(verdict, store::ChainStatus::Intact { entries: 5 });
    assert_eq!(
        db.store
            .audit(AuditQuery::newest(Chain::Accounts, 10))
            .await
            .unwrap()
            .len(),
        5
    );
}
