//! A clock that was far ahead and is set right: nothing reaches further than its own length.

use super::*;
use crate::{
    SessionKind, Token,
    error::{AccessError, ThrottleError},
    session::create::NewSession,
};

const DAYS_200: Duration = Duration::from_hours(200 * 24);

async fn guess(test: &TestAuth, times: usize) {
    for _ in 0..times {
        let answer = test.password_grant("ada", "a wrong password").await;
        assert!(matches!(
            answer,
            Err(AuthError::SignIn(_) | AuthError::Throttle(ThrottleError::Throttled { .. }))
        ));
        test.clock.advance(Duration::from_mins(16));
    }
}

async fn expect_invalid(test: &TestAuth, tokens: &TokenResponse) {
    let answer = test
        .auth
        .sessions()
        .authenticate_bearer(access_token(tokens))
        .await;
    assert!(matches!(
        answer,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn wrong_passwords_ahead_do_not_lock_owner_out() {
    for jump in [Duration::from_hours(1), DAYS_200] {
        let test = test_auth().await;
        test.register("ada").await;
        guess(&test, 20).await;
        test.clock.advance(jump);
        let answer = test.password_grant("ada", "a wrong password").await;
        assert!(matches!(answer, Err(AuthError::SignIn(_))));
        let answer = test.password_grant("ada", GOOD_PASSWORD).await;
        assert!(matches!(
            answer,
            Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
        ));
        test.clock.rewind(jump);
        test.password_grant("ada", GOOD_PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn failures_after_a_jump_count_again() {
    let test = test_auth().await;
    test.register("ada").await;
    test.clock.advance(DAYS_200);
    guess(&test, 20).await;
    test.clock.rewind(DAYS_200);
    // One attempt is free of the old wait, and the next one waits again.
    let answer = test.password_grant("ada", "a wrong password").await;
    assert!(matches!(answer, Err(AuthError::SignIn(_))));
    let answer = test.password_grant("ada", GOOD_PASSWORD).await;
    let Err(AuthError::Throttle(ThrottleError::Throttled { retry_after })) = answer else {
        panic!("not throttled");
    };
    assert_eq!(retry_after, Duration::from_mins(15));
}

#[tokio::test]
async fn access_token_beyond_leeway_is_refused() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    test.clock.rewind(Duration::from_mins(5));
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    test.clock.rewind(Duration::from_secs(1));
    expect_invalid(&test, &tokens).await;
    // The session itself lives on.
    let refreshed = test
        .auth
        .oauth()
        .refresh(tokens.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&refreshed))
        .await
        .unwrap();
}

#[tokio::test]
async fn session_from_ahead_ends_within_its_own_length() {
    let test = test_auth().await;
    let account = test.register("ada").await;
    test.clock.advance(DAYS_200);
    let new_session = NewSession::interactive(SessionKind::Web, crate::AuthMethods::NONE, origin());
    let (_, cookie) = test
        .auth
        .sessions()
        .create_session(&account, new_session)
        .await
        .unwrap()
        .unwrap();
    test.clock.rewind(DAYS_200);
    let other = open_node(&test.store, &test.clock, settings()).await;
    let authenticate = async || other.sessions().authenticate_cookie(cookie.expose()).await;
    let caller = authenticate().await.unwrap();
    assert_eq!(
        caller.session().expires_at,
        other.now() + settings().absolute_timeout
    );
    assert!(matches!(
        caller.require_recent(),
        Err(AuthError::Access(AccessError::StepUpRequired { .. }))
    ));
    test.clock.advance(settings().idle_timeout);
    assert!(matches!(
        authenticate().await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn ticket_from_ahead_is_refused() {
    let test = test_auth().await;
    test.register("ada").await;
    test.clock.advance(DAYS_200);
    let (_, caller) = test.sign_in("ada").await;
    let ahead = test.auth.sessions().issue_ticket(&caller);
    test.clock.rewind(DAYS_200);
    let redeem = async |ticket: &Token| {
        let ticket = ticket.expose();
        test.auth.sessions().authenticate_ticket(ticket).await
    };
    assert!(matches!(
        redeem(&ahead).await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let (_, caller) = test.sign_in("ada").await;
    let slightly_ahead = test.auth.sessions().issue_ticket(&caller);
    test.clock.rewind(Duration::from_mins(5));
    redeem(&slightly_ahead).await.unwrap();
}

#[tokio::test]
async fn device_codes_from_ahead_do_not_count() {
    let test = test_auth().await;
    test.clock.advance(DAYS_200);
    let start = async || {
        test.auth
            .oauth()
            .device_authorization(None, None, origin())
            .await
    };
    for _ in 0..20 {
        start().await.unwrap();
    }
    assert!(matches!(
        start().await,
        Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
    ));
    let waiting = test.clock.clone();
    waiting.rewind(DAYS_200);
    for _ in 0..20 {
        start().await.unwrap();
    }
    assert!(
        start().await.is_err_and(|error| matches!(
            error,
            AuthError::Throttle(ThrottleError::Throttled { .. })
        ))
    );
}

#[tokio::test]
async fn setup_link_from_ahead_is_refused() {
    let test = test_auth().await;
    test.clock.advance(DAYS_200);
    let token = test.auth.accounts().setup_token().await.unwrap().unwrap();
    assert!(test.auth.accounts().is_setup_token_valid(token.expose()));
    test.clock.rewind(DAYS_200);
    assert!(!test.auth.accounts().is_setup_token_valid(token.expose()));
}
