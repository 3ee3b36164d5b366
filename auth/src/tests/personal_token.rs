//! Personal access tokens: from memory, throttled, and gone with the session that made them.

use std::time::Duration;

use super::*;
use crate::{
    NewPersonalToken, Scope, Scopes, Session, Token, TokenKind, access::policy::AuthVia,
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
            .create_personal_token(&caller, read_token_request(), origin())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn cached_personal_token_needs_no_store_read() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, token) = house.create_personal_token("ada").await;
    for _ in 0..2 {
        house
            .auth
            .authenticate_personal_token(token.expose(), None, &origin())
            .await
            .unwrap();
    }
    tokio::task::yield_now().await;
    let asked = house.store.query_count();
    for name in [None, Some("ada"), Some("Ada")] {
        let caller = house
            .auth
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
    assert_eq!(house.store.query_count(), asked);
}

#[tokio::test]
async fn invalid_personal_tokens_are_throttled_but_valid_pass() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, good) = house.create_personal_token("ada").await;
    let dead = Token::random(TokenKind::Personal, &SecureRandom::system());
    let try_one = async |token: &Token| {
        house
            .auth
            .authenticate_personal_token(token.expose(), None, &origin())
            .await
            .unwrap_err()
    };
    let asked = house.store.query_count();
    for _ in 0..300 {
        assert!(matches!(try_one(&dead).await, AuthError::InvalidToken));
    }
    assert!(house.store.query_count() < asked + 10);
    let mut tries = 0;
    while !matches!(
        try_one(&Token::random(TokenKind::Personal, &SecureRandom::system())).await,
        AuthError::Throttled { .. }
    ) {
        tries += 1;
        assert!(tries < 300, "guessing was never slowed down");
    }
    // Whoever has a good one goes in from the same address, also when it was never seen before.
    house
        .auth
        .authenticate_personal_token(good.expose(), None, &origin())
        .await
        .unwrap();
    // What was refused was not charged, nor remembered: it is told apart from a wrong one once there is room again.
    assert!(matches!(
        try_one(&Token::random(TokenKind::Personal, &SecureRandom::system())).await,
        AuthError::Throttled { .. }
    ));
    house.clock.advance(Duration::from_secs(3));
    assert!(matches!(
        try_one(&Token::random(TokenKind::Personal, &SecureRandom::system())).await,
        AuthError::InvalidToken
    ));
}

#[tokio::test]
async fn ended_session_cannot_create_personal_token() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, caller) = house.sign_in("ada").await;
    let (_, other) = house.sign_in("ada").await;
    house.auth.end_other_sessions(&other).await.unwrap();
    let late = house
        .auth
        .create_personal_token(&caller, read_token_request(), origin())
        .await;
    assert!(matches!(late, Err(AuthError::InvalidToken)));
    assert_eq!(house.auth.personal_tokens(&other).await.unwrap(), []);
    assert_eq!(house.store.live_session_count(), 1);
}

#[tokio::test]
async fn ended_personal_token_is_rejected_on_another_node() {
    let house = test_auth().await;
    house.register("ada").await;
    let root = house.administrator("root").await;
    let node = open_node(&house.store, &house.clock, settings()).await;
    let (session, token) = house.create_personal_token("ada").await;
    node.authenticate_personal_token(token.expose(), None, &origin())
        .await
        .unwrap();
    let (_, ada) = house.sign_in("ada").await;
    house
        .auth
        .end_personal_token(&ada, &session.id)
        .await
        .unwrap();
    node.apply_account_events().await.unwrap();
    assert!(
        node.authenticate_personal_token(token.expose(), None, &origin())
            .await
            .is_err()
    );
    let (_, token) = house.create_personal_token("ada").await;
    node.authenticate_personal_token(token.expose(), None, &origin())
        .await
        .unwrap();
    let disabled = AccountChange {
        status: Some(crate::AccountStatus::Disabled),
        ..AccountChange::default()
    };
    house
        .auth
        .change_account(&root.permit(None).unwrap(), &name("ada"), disabled)
        .await
        .unwrap();
    node.apply_account_events().await.unwrap();
    assert!(
        node.authenticate_personal_token(token.expose(), None, &origin())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn created_personal_token_is_audited() {
    let house = test_auth().await;
    house.register("ada").await;
    house.create_personal_token("ada").await;
    assert!(house.store.audit_action_names().contains(&"token.made"));
}

#[tokio::test]
async fn personal_tokens_are_limited_to_100() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, caller) = house.sign_in("ada").await;
    for _ in 0..100 {
        house
            .auth
            .create_personal_token(&caller, read_token_request(), origin())
            .await
            .unwrap();
    }
    let refused = house
        .auth
        .create_personal_token(&caller, read_token_request(), origin())
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        AuthError::PersonalToken(crate::PersonalTokenError::TooMany)
    ));
}

#[tokio::test]
async fn expired_session_cannot_create_personal_token() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, ada) = house.sign_in("ada").await;
    house
        .clock
        .advance(std::time::Duration::from_hours(24 * 91));
    assert!(matches!(
        house
            .auth
            .create_personal_token(&ada, read_token_request(), origin())
            .await,
        Err(AuthError::InvalidToken)
    ));
    let (_, again) = house.sign_in("ada").await;
    assert!(house.auth.personal_tokens(&again).await.unwrap().is_empty());
}
