//! How fast the end of a session takes effect, its timeouts, and its cache.

use std::time::Duration;

use super::*;
use crate::{
    SessionKind,
    access::policy::AuthVia,
    error::{AccessError, TokenError},
    session::create::SignedIn,
};

#[tokio::test]
async fn sign_out_invalidates_the_credentials_of_its_session() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let ticket = test.auth.sessions().issue_ticket(&caller);
    let mut changes = test.auth.changes();
    changes.mark_unchanged();
    test.auth.sessions().sign_out(&caller).await.unwrap();
    assert!(changes.has_changed().unwrap());
    assert!(matches!(
        test.auth.sessions().revalidate(&caller).await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_ticket(ticket.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let refreshed = test
        .auth
        .oauth()
        .refresh(tokens.refresh_token.expose(), None, None, origin())
        .await;
    assert!(matches!(
        refreshed,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
}

#[tokio::test]
async fn ended_session_is_rejected_on_another_node() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let other = open_node(&test.store, &test.clock, settings()).await;
    other
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    test.auth.sessions().sign_out(&caller).await.unwrap();
    let mut changes = other.changes();
    changes.mark_unchanged();
    other.background().apply_account_events().await.unwrap();
    assert!(changes.has_changed().unwrap());
    assert!(matches!(
        other
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let restarted = open_node(&test.store, &test.clock, settings()).await;
    assert!(matches!(
        restarted
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn background_task_applies_other_nodes_events_within_second() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let other = open_node(&test.store, &test.clock, settings()).await;
    other
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    tokio::time::pause();
    let background = tokio::spawn({
        let other = other.clone();
        async move { other.background().run_background_tasks().await }
    });
    let mut changes = other.changes();
    changes.mark_unchanged();
    test.auth.sessions().sign_out(&caller).await.unwrap();
    tokio::time::timeout(Duration::from_secs(1), changes.changed())
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(
        other
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(!background.is_finished());
    background.abort();
}

#[tokio::test]
async fn cached_session_request_needs_no_store_read() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    let before = test.store.query_count();
    for _ in 0..100 {
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
    }
    assert_eq!(test.store.query_count(), before);
    test.store.fail_queries();
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
}

#[tokio::test]
async fn parallel_requests_after_restart_load_session_once() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    let restarted = open_node(&test.store, &test.clock, settings()).await;
    let before = test.store.query_count();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (auth, token) = (restarted.clone(), access_token(&tokens).to_owned());
        requests.spawn(async move { auth.sessions().authenticate_bearer(&token).await.map(drop) });
    }
    for answer in requests.join_all().await {
        answer.unwrap();
    }
    // One query loads the session, one its rights.
    assert_eq!(test.store.query_count() - before, 2);
}

#[tokio::test]
async fn ended_session_is_cached_as_ended() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    test.auth.sessions().sign_out(&caller).await.unwrap();
    let asked = async || {
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
    };
    assert!(matches!(
        asked().await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let before = test.store.query_count();
    assert!(matches!(
        asked().await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert_eq!(test.store.query_count(), before);
}

#[tokio::test]
async fn session_load_racing_sign_out_is_not_cached() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let restarted = open_node(&test.store, &test.clock, settings()).await;
    test.store.pause_loads();
    let slow = tokio::spawn({
        let (auth, token) = (restarted.clone(), access_token(&tokens).to_owned());
        async move { auth.sessions().authenticate_bearer(&token).await.map(drop) }
    });
    test.store.wait_for_paused_load().await;
    test.auth.sessions().sign_out(&caller).await.unwrap();
    restarted.background().apply_account_events().await.unwrap();
    test.store.resume_loads();
    // This request began before the sign-out: either result is valid. Later requests fail.
    let slow = slow.await.unwrap();
    assert!(
        matches!(
            slow,
            Ok(()) | Err(AuthError::Access(AccessError::InvalidToken))
        ),
        "{slow:?}"
    );
    assert!(matches!(
        restarted
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn session_ends_at_idle_and_absolute_timeout() {
    let test = test_auth().await;
    test.register("ada").await;
    let SignedIn { secret, .. } = test
        .auth
        .passwords()
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    for _ in 0..15 {
        test.clock.advance(Duration::from_hours(11));
        assert_eq!(
            test.auth
                .sessions()
                .authenticate_cookie(secret.expose())
                .await
                .unwrap()
                .via(),
            AuthVia::Cookie
        );
    }
    test.clock.advance(Duration::from_hours(3));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_cookie(secret.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));

    let SignedIn { secret, .. } = test
        .auth
        .passwords()
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    test.clock.advance(Duration::from_hours(12));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_cookie(secret.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn session_activity_is_stored_every_five_minutes() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    for _ in 0..29 {
        test.clock.advance(Duration::from_mins(1));
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
        tokio::task::yield_now().await;
    }
    // More than five minutes must pass: stored in minutes 6, 12, 18 and 24.
    assert_eq!(test.store.touch_count(), 4);
}

#[tokio::test]
async fn ticket_works_once_within_thirty_seconds() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    let ticket = test.auth.sessions().issue_ticket(&caller);
    assert_eq!(
        test.auth
            .sessions()
            .authenticate_ticket(ticket.expose())
            .await
            .unwrap()
            .via(),
        AuthVia::Ticket
    );
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_ticket(ticket.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let [fresh, late] = [(); 2].map(|()| test.auth.sessions().issue_ticket(&caller));
    test.clock.advance(Duration::from_secs(29));
    test.auth
        .sessions()
        .authenticate_ticket(fresh.expose())
        .await
        .unwrap();
    test.clock.advance(Duration::from_secs(1));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_ticket(late.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}
