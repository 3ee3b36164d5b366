//! Personal access tokens: caching, throttling, limits, and their end.

use std::time::Duration;

use super::*;
use crate::{
    EmailAddress, MailBody, NewPersonalToken, Scope, Scopes, SecurityNotice, Session, Token,
    TokenKind,
    access::policy::AuthVia,
    error::{AccessError, ThrottleError, TokenError},
    model::account::AccountChange,
};

fn read_token_request() -> NewPersonalToken {
    NewPersonalToken {
        label: "script".to_owned(),
        scopes: Scopes::of(&[Scope::ReadFiles]),
        realms: None,
        lifetime: None,
    }
}

impl TestAuth {
    async fn create_personal_token(&self, username: &str) -> (Session, Token) {
        let (_, caller) = self.sign_in(username).await;
        self.auth
            .personal_tokens()
            .create_personal_token(&caller, read_token_request(), origin())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn cached_personal_token_needs_no_store_read() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, token) = test.create_personal_token("ada").await;
    for _ in 0..2 {
        test.auth
            .personal_tokens()
            .authenticate_personal_token(token.expose(), None, &origin())
            .await
            .unwrap();
    }
    tokio::task::yield_now().await;
    let before = test.store.query_count();
    for name in [None, Some("ada"), Some("Ada")] {
        let caller = test
            .auth
            .personal_tokens()
            .authenticate_personal_token(token.expose(), name, &origin())
            .await
            .unwrap();
        assert_eq!(
            caller.via(),
            if name.is_some() {
                AuthVia::Basic
            } else {
                AuthVia::Bearer
            }
        );
        assert!(!caller.is_interactive());
    }
    assert_eq!(test.store.query_count(), before);
}

#[tokio::test]
async fn invalid_personal_tokens_are_throttled_but_valid_pass() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, good) = test.create_personal_token("ada").await;
    let dead = Token::random(TokenKind::Personal, &SecureRandom::system());
    let try_one = async |token: &Token| {
        test.auth
            .personal_tokens()
            .authenticate_personal_token(token.expose(), None, &origin())
            .await
            .unwrap_err()
    };
    assert!(matches!(
        try_one(&dead).await,
        AuthError::Access(AccessError::InvalidToken)
    ));
    let before = test.store.query_count();
    for _ in 0..299 {
        assert!(matches!(
            try_one(&dead).await,
            AuthError::Access(AccessError::InvalidToken)
        ));
    }
    assert_eq!(test.store.query_count(), before);
    // The quota is 150 failures; the dead token was charged once.
    for n in 0..149 {
        let error = try_one(&Token::random(TokenKind::Personal, &SecureRandom::system())).await;
        assert!(
            matches!(error, AuthError::Access(AccessError::InvalidToken)),
            "{n}: {error}"
        );
    }
    assert!(matches!(
        try_one(&Token::random(TokenKind::Personal, &SecureRandom::system())).await,
        AuthError::Throttle(ThrottleError::Throttled { .. })
    ));
    // A valid token passes from the same address, also if it is not cached.
    test.auth
        .personal_tokens()
        .authenticate_personal_token(good.expose(), None, &origin())
        .await
        .unwrap();
    // Denied attempts are neither charged nor cached: a wrong token gets its own error once the
    // quota allows it.
    assert!(matches!(
        try_one(&Token::random(TokenKind::Personal, &SecureRandom::system())).await,
        AuthError::Throttle(ThrottleError::Throttled { .. })
    ));
    test.clock.advance(Duration::from_secs(3));
    assert!(matches!(
        try_one(&Token::random(TokenKind::Personal, &SecureRandom::system())).await,
        AuthError::Access(AccessError::InvalidToken)
    ));
}

#[tokio::test]
async fn ended_session_cannot_create_personal_token() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    let (_, other) = test.sign_in("ada").await;
    test.auth
        .sessions()
        .end_other_sessions(&other)
        .await
        .unwrap();
    let late = test
        .auth
        .personal_tokens()
        .create_personal_token(&caller, read_token_request(), origin())
        .await;
    assert!(matches!(
        late,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert_eq!(
        test.auth
            .personal_tokens()
            .personal_tokens(&other)
            .await
            .unwrap(),
        []
    );
    assert_eq!(test.store.live_session_count(), 1);
}

#[tokio::test]
async fn ended_personal_token_is_rejected_on_another_node() {
    let test = test_auth().await;
    test.register("ada").await;
    let root = test.administrator("root").await;
    let node = open_node(&test.store, &test.clock, settings()).await;
    let (session, token) = test.create_personal_token("ada").await;
    node.personal_tokens()
        .authenticate_personal_token(token.expose(), None, &origin())
        .await
        .unwrap();
    let (_, ada) = test.sign_in("ada").await;
    test.auth
        .personal_tokens()
        .end_personal_token(&ada, &session.id)
        .await
        .unwrap();
    node.background().apply_account_events().await.unwrap();
    assert!(matches!(
        node.personal_tokens()
            .authenticate_personal_token(token.expose(), None, &origin())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let (_, token) = test.create_personal_token("ada").await;
    node.personal_tokens()
        .authenticate_personal_token(token.expose(), None, &origin())
        .await
        .unwrap();
    let disabled = AccountChange {
        status: Some(crate::AccountStatus::Disabled),
        ..AccountChange::default()
    };
    test.auth
        .admin()
        .change_account(&root.permit(None).unwrap(), &name("ada"), disabled)
        .await
        .unwrap();
    node.background().apply_account_events().await.unwrap();
    assert!(matches!(
        node.personal_tokens()
            .authenticate_personal_token(token.expose(), None, &origin())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn created_personal_token_is_audited_and_mailed() {
    let test = test_auth().await;
    let request = RegistrationRequest {
        email: Some(EmailAddress::parse("ada@example.org").unwrap()),
        ..registration_request("ada")
    };
    test.auth
        .accounts()
        .register(request, &origin())
        .await
        .unwrap();
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    while mails.try_recv().is_ok() {}
    test.create_personal_token("ada").await;
    let of_token = ("ada".to_owned(), "token.made");
    assert!(test.store.audit_actions().contains(&of_token));
    let mail = mails.try_recv().unwrap();
    assert_eq!(mail.to.as_str(), "ada@example.org");
    assert!(
        matches!(
            mail.body,
            MailBody::SecurityNotice {
                notice: SecurityNotice::PersonalTokenCreated,
                ..
            }
        ),
        "{mail:?}"
    );
}

#[tokio::test]
async fn personal_tokens_are_limited_to_100() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    for _ in 0..100 {
        test.auth
            .personal_tokens()
            .create_personal_token(&caller, read_token_request(), origin())
            .await
            .unwrap();
    }
    let refused = test
        .auth
        .personal_tokens()
        .create_personal_token(&caller, read_token_request(), origin())
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        AuthError::Token(TokenError::PersonalToken(
            crate::PersonalTokenError::TooMany { max: 100 }
        ))
    ));
}

#[tokio::test]
async fn expired_session_cannot_create_personal_token() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, ada) = test.sign_in("ada").await;
    test.clock.advance(std::time::Duration::from_hours(24 * 91));
    assert!(matches!(
        test.auth
            .personal_tokens()
            .create_personal_token(&ada, read_token_request(), origin())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let (_, again) = test.sign_in("ada").await;
    assert!(
        test.auth
            .personal_tokens()
            .personal_tokens(&again)
            .await
            .unwrap()
            .is_empty()
    );
}
