//! Refresh token rotation and replay detection.

use std::time::Duration;

use super::*;
use crate::{
    MailBody, SecurityNotice, SessionKind,
    error::{AccessError, ThrottleError, TokenError},
};

#[tokio::test]
async fn refresh_rotates_the_token_within_the_session() {
    let test = test_auth().await;
    test.register("ada").await;
    let (first, caller) = test.sign_in("ada").await;
    assert_eq!(first.expires_in, Duration::from_mins(30));
    test.clock.advance(Duration::from_mins(31));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&first))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let second = test
        .auth
        .oauth()
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    let again = test
        .auth
        .sessions()
        .authenticate_bearer(access_token(&second))
        .await
        .unwrap();
    assert_eq!(again.session().id, caller.session().id);
    assert_ne!(first.refresh_token.expose(), second.refresh_token.expose());
    test.auth
        .oauth()
        .refresh(second.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn parallel_refreshes_leave_one_valid_refresh_token() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (auth, token) = (test.auth.clone(), tokens.refresh_token.expose().to_owned());
        uses.spawn(async move { auth.oauth().refresh(&token, None, None, origin()).await });
    }
    let answers = uses.join_all().await;
    assert!(answers.iter().any(Result::is_ok));
    assert_eq!(test.store.unused_refresh_token_count(), 1);
    let mut good = 0;
    for tokens in answers.iter().flatten() {
        good += usize::from(
            test.auth
                .oauth()
                .introspect(
                    &bearer_caller(&test, tokens).await,
                    tokens.refresh_token.expose(),
                )
                .await
                .unwrap()
                .is_some(),
        );
    }
    assert_eq!(good, 1);
}

async fn bearer_caller(test: &TestAuth, tokens: &TokenResponse) -> Caller {
    test.auth
        .sessions()
        .authenticate_bearer(access_token(tokens))
        .await
        .unwrap()
}

#[tokio::test]
async fn refresh_token_reuse_in_grace_needs_unused_successor() {
    let test = test_auth().await;
    test.register("ada").await;
    let (first, _) = test.sign_in("ada").await;
    test.auth
        .oauth()
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    test.clock.advance(Duration::from_secs(10));
    let second = test
        .auth
        .oauth()
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&second))
        .await
        .unwrap();
    test.auth
        .oauth()
        .refresh(second.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    // The successor is used now.
    assert!(matches!(
        test.auth
            .oauth()
            .refresh(first.refresh_token.expose(), None, None, origin())
            .await,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&second))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

async fn refresh(test: &TestAuth, tokens: &TokenResponse) -> Result<TokenResponse, AuthError> {
    test.auth
        .oauth()
        .refresh(tokens.refresh_token.expose(), None, None, origin())
        .await
}

/// The thief sees the owner's refresh, for example by introspection, and replays the stolen token
/// within the grace period.
#[tokio::test]
async fn stolen_refresh_token_used_within_grace_is_detected() {
    let test = test_auth().await;
    let address = crate::EmailAddress::parse("ada@example.org").unwrap();
    test.auth
        .accounts()
        .register(
            crate::accounts::registration::RegistrationRequest {
                email: Some(address),
                ..registration_request("ada")
            },
            &origin(),
        )
        .await
        .unwrap();
    let (stolen, _) = test.sign_in("ada").await;
    let owners = refresh(&test, &stolen).await.unwrap();
    let thiefs = refresh(&test, &stolen).await.unwrap();
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    while mails.try_recv().is_ok() {}
    test.clock.advance(Duration::from_mins(29));
    let thiefs = refresh(&test, &thiefs).await.unwrap();
    assert!(matches!(
        refresh(&test, &owners).await,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&thiefs))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        refresh(&test, &thiefs).await,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
    assert!(
        test.store
            .audit_actions()
            .contains(&("ada".to_owned(), "refresh.replayed"))
    );
    assert!(matches!(
        mails.try_recv().unwrap().body,
        MailBody::SecurityNotice {
            notice: SecurityNotice::TokenReplayed,
            ..
        }
    ));
}

#[tokio::test]
async fn replayed_refresh_token_ends_session_and_is_audited() {
    let test = test_auth().await;
    test.register("ada").await;
    let (first, _) = test.sign_in("ada").await;
    let second = test
        .auth
        .oauth()
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&second))
        .await
        .unwrap();
    test.clock.advance(Duration::from_secs(11));
    let replay = test
        .auth
        .oauth()
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await;
    assert!(matches!(
        replay,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&second))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        test.auth
            .oauth()
            .refresh(second.refresh_token.expose(), None, None, origin())
            .await,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
    assert!(
        test.store
            .audit_actions()
            .contains(&("ada".to_owned(), "refresh.replayed"))
    );
}

#[tokio::test]
async fn session_cookie_is_rejected_as_refresh_token() {
    let test = test_auth().await;
    test.register("ada").await;
    let web = test
        .auth
        .passwords()
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    assert!(matches!(
        test.auth
            .oauth()
            .refresh(web.secret.expose(), None, None, origin())
            .await,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
}

#[tokio::test]
async fn replayed_refresh_token_sends_mail_to_owner() {
    let test = test_auth().await;
    let address = crate::EmailAddress::parse("ada@example.org").unwrap();
    test.auth
        .accounts()
        .register(
            crate::accounts::registration::RegistrationRequest {
                email: Some(address),
                ..registration_request("ada")
            },
            &origin(),
        )
        .await
        .unwrap();
    let (first, _) = test.sign_in("ada").await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    while mails.try_recv().is_ok() {}
    test.auth
        .oauth()
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    test.clock.advance(Duration::from_secs(11));
    assert!(matches!(
        test.auth
            .oauth()
            .refresh(first.refresh_token.expose(), None, None, origin())
            .await,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
    let mail = mails.try_recv().unwrap();
    assert!(matches!(
        mail.body,
        MailBody::SecurityNotice {
            notice: SecurityNotice::TokenReplayed,
            ..
        }
    ));
}

#[tokio::test]
async fn clock_set_back_does_not_extend_recent_authentication() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    test.clock.rewind(Duration::from_secs(4));
    let again = test.auth.sessions().revalidate(&caller).await.unwrap();
    again.require_recent().unwrap();
    test.clock.rewind(Duration::from_hours(5));
    let again = test.auth.sessions().revalidate(&caller).await.unwrap();
    assert!(matches!(
        again.require_recent(),
        Err(AuthError::Access(AccessError::StepUpRequired { .. }))
    ));
}

#[tokio::test]
async fn rate_limited_session_can_still_refresh() {
    let test = test_auth_with(Settings {
        requests_per_minute: Some(60),
        ..settings()
    })
    .await;
    test.register("ada").await;
    let mut tokens = test.password_grant("ada", GOOD_PASSWORD).await.unwrap();
    for n in 0..70 {
        let answer = test
            .auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await;
        assert_eq!(
            matches!(
                answer,
                Err(AuthError::Throttle(ThrottleError::RateLimited { .. }))
            ),
            n >= 60,
            "{n}"
        );
    }
    for _ in 0..3 {
        tokens = test
            .auth
            .oauth()
            .refresh(tokens.refresh_token.expose(), None, None, origin())
            .await
            .unwrap();
    }
}
