//! Refresh tokens: single use, grace period, replay detection.

use auth::{
    AuthStore as _, TokenHash,
    store::{EndReason, RefreshRotation, Rotation},
};
use futures_util::future::join_all;
use store::testing::TestDatabase;

use crate::builders::{register, session_end, start_session, timestamp, user};

crate::on_both_databases!(
    refresh_token_is_rotated_once,
    parallel_refresh_token_uses_leave_one_successor,
    refresh_retry_within_grace_gets_new_successor,
    displaced_refresh_token_reuse_ends_the_session,
    clock_set_back_does_not_extend_refresh_grace,
    refresh_reuse_after_grace_ends_the_session,
    refresh_reuse_after_successor_use_ends_the_session,
    refresh_tokens_of_ended_sessions_are_dead,
    parallel_refresh_replays_end_the_session_once,
);

fn rotation_request(old: &str, new: &str, at: i64) -> RefreshRotation {
    RefreshRotation {
        old: TokenHash::new(old),
        new: TokenHash::new(new),
        at: timestamp(at),
        idle_since: timestamp(at - 1_000),
        grace_since: timestamp(at - 10),
    }
}

/// The result as one character: `o` rotated, `r` retried, `x` replayed, `-` invalid.
async fn rotation_result(db: &TestDatabase, old: &str, new: &str, at: i64) -> char {
    match db
        .store
        .rotate_refresh(rotation_request(old, new, at))
        .await
        .unwrap()
    {
        Rotation::Rotated(session) => {
            assert_eq!(session.last_seen, timestamp(at));
            'o'
        }
        Rotation::Retried(_) => 'r',
        Rotation::Replayed(session) => {
            assert_eq!(session.ended_at, Some(timestamp(at)));
            'x'
        }
        Rotation::Invalid => '-',
    }
}

async fn refresh_token_is_rotated_once(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let id = start_session(&db.store, "ada", "a").await;
    let state = async |token| {
        db.store
            .session_by_refresh(&TokenHash::new(token))
            .await
            .unwrap()
    };
    assert!(!state("a").await.unwrap().used);
    assert_eq!(rotation_result(&db, "a", "b", 100).await, 'o');
    assert!(state("a").await.unwrap().used && !state("b").await.unwrap().used);
    assert_eq!(state("b").await.unwrap().session.id, id);
    assert_eq!(rotation_result(&db, "b", "c", 200).await, 'o');
    assert_eq!(rotation_result(&db, "never issued", "d", 200).await, '-');
    assert!(state("d").await.is_none());
}

async fn parallel_refresh_token_uses_leave_one_successor(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for round in 0..10 {
        let old = format!("old{round}");
        let id = start_session(&db.store, "ada", &old).await;
        let tokens: Vec<String> = (0..8).map(|n| format!("new{round}-{n}")).collect();
        let turns = join_all(
            tokens
                .iter()
                .map(async |new| rotation_result(&db, &old, new, 100).await),
        )
        .await;
        assert_eq!(
            turns
                .iter()
                .filter(|rotation_result| **rotation_result == 'o')
                .count(),
            1,
            "{turns:?}"
        );
        assert_eq!(
            turns
                .iter()
                .filter(|rotation_result| **rotation_result == 'r')
                .count(),
            7,
            "{turns:?}"
        );
        let mut alive = 0;
        for token in &tokens {
            let state = db
                .store
                .session_by_refresh(&TokenHash::new(token))
                .await
                .unwrap();
            alive += usize::from(state.is_some_and(|state| !state.used));
        }
        assert_eq!(alive, 1, "one successor");
        assert_eq!(db.store.session(&id).await.unwrap().unwrap().ended_at, None);
    }
}

async fn refresh_retry_within_grace_gets_new_successor(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    start_session(&db.store, "ada", "a").await;
    assert_eq!(rotation_result(&db, "a", "lost", 100).await, 'o');
    assert_eq!(rotation_result(&db, "a", "b", 110).await, 'r');
    assert_eq!(rotation_result(&db, "b", "d", 110).await, 'o');
}

/// A thief who replays a token within the grace period displaces the owner's successor. The owner's
/// next refresh must end the session, not only fail.
async fn displaced_refresh_token_reuse_ends_the_session(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for (round, late) in [(0, 101), (1, 900)] {
        let token = |name: &str| format!("{name}{round}");
        let id = start_session(&db.store, "ada", &token("a")).await;
        assert_eq!(
            rotation_result(&db, &token("a"), &token("owners"), 100).await,
            'o'
        );
        assert_eq!(
            rotation_result(&db, &token("a"), &token("thiefs"), 100).await,
            'r'
        );
        let used = async |name: &str| {
            db.store
                .session_by_refresh(&TokenHash::new(&token(name)))
                .await
                .unwrap()
                .unwrap()
                .used
        };
        assert!(used("owners").await && !used("thiefs").await);
        // Meanwhile the thief refreshes again.
        assert_eq!(
            rotation_result(&db, &token("thiefs"), &token("next"), late - 1).await,
            'o'
        );
        assert_eq!(
            rotation_result(&db, &token("owners"), &token("x"), late).await,
            'x'
        );
        assert_eq!(
            db.store.session(&id).await.unwrap().unwrap().ended_at,
            Some(timestamp(late))
        );
        assert_eq!(
            rotation_result(&db, &token("next"), &token("y"), late).await,
            '-'
        );
    }
}

async fn clock_set_back_does_not_extend_refresh_grace(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    start_session(&db.store, "ada", "a").await;
    assert_eq!(rotation_result(&db, "a", "b", 900).await, 'o');
    assert_eq!(
        rotation_result(&db, "a", "c", 895).await,
        'r',
        "another node's clock is a little behind"
    );
    assert_eq!(rotation_result(&db, "a", "d", 500).await, 'x');
}

async fn refresh_reuse_after_grace_ends_the_session(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let id = start_session(&db.store, "ada", "a").await;
    assert_eq!(rotation_result(&db, "a", "b", 100).await, 'o');
    let before = db.store.last_account_event().await.unwrap();
    assert_eq!(rotation_result(&db, "a", "c", 111).await, 'x');
    assert_eq!(
        db.store.session(&id).await.unwrap().unwrap().ended_at,
        Some(timestamp(111))
    );
    assert_eq!(db.store.last_account_event().await.unwrap(), before + 1);
    assert_eq!(
        rotation_result(&db, "b", "d", 111).await,
        '-',
        "the whole family is invalid"
    );
    assert_eq!(rotation_result(&db, "a", "e", 111).await, '-');
}

async fn refresh_reuse_after_successor_use_ends_the_session(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    start_session(&db.store, "ada", "a").await;
    assert_eq!(rotation_result(&db, "a", "b", 100).await, 'o');
    assert_eq!(rotation_result(&db, "b", "c", 101).await, 'o');
    assert_eq!(rotation_result(&db, "a", "d", 102).await, 'x');
    assert_eq!(rotation_result(&db, "c", "e", 103).await, '-');
}

async fn refresh_tokens_of_ended_sessions_are_dead(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    start_session(&db.store, "ada", "idle").await;
    assert_eq!(rotation_result(&db, "idle", "b", 1_001).await, '-');
    start_session(&db.store, "ada", "expired").await;
    let late = RefreshRotation {
        idle_since: timestamp(0),
        ..rotation_request("expired", "c", 1_000_000)
    };
    assert!(matches!(
        db.store.rotate_refresh(late).await.unwrap(),
        Rotation::Invalid
    ));
    let id = start_session(&db.store, "ada", "ended").await;
    db.store
        .end_session(
            &user("ada"),
            &id,
            session_end(EndReason::SignedOut, "ada", 5),
        )
        .await
        .unwrap();
    assert_eq!(rotation_result(&db, "ended", "d", 6).await, '-');
    assert!(
        db.store
            .session_by_refresh(&TokenHash::new("ended"))
            .await
            .unwrap()
            .is_none()
    );
}

async fn parallel_refresh_replays_end_the_session_once(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    start_session(&db.store, "ada", "a").await;
    assert_eq!(rotation_result(&db, "a", "b", 100).await, 'o');
    let tokens: Vec<String> = (0..8).map(|n| format!("stolen{n}")).collect();
    let turns = join_all(
        tokens
            .iter()
            .map(async |new| rotation_result(&db, "a", new, 500).await),
    )
    .await;
    assert_eq!(
        turns
            .iter()
            .filter(|rotation_result| **rotation_result == 'x')
            .count(),
        1,
        "{turns:?}"
    );
    assert_eq!(
        turns
            .iter()
            .filter(|rotation_result| **rotation_result == '-')
            .count(),
        7,
        "{turns:?}"
    );
}
