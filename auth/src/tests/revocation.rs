//! Revocation and introspection of tokens, and the expiry of access tokens.

use std::time::Duration;

use super::*;
use crate::error::{AccessError, TokenError};

#[tokio::test]
async fn revoking_access_or_refresh_token_ends_the_session() {
    for revokes_access_token in [true, false] {
        let test = test_auth().await;
        test.register("ada").await;
        let (tokens, _) = test.sign_in("ada").await;
        for nonsense in ["", "nonsense", "sr_rt_nonsense", "a.b.c"] {
            test.auth.oauth().revoke(nonsense, &origin()).await.unwrap();
        }
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
        test.auth
            .oauth()
            .revoke(
                if revokes_access_token {
                    access_token(&tokens)
                } else {
                    tokens.refresh_token.expose()
                },
                &origin(),
            )
            .await
            .unwrap();
        assert!(matches!(
            test.auth
                .sessions()
                .authenticate_bearer(access_token(&tokens))
                .await,
            Err(AuthError::Access(AccessError::InvalidToken))
        ));
        assert!(matches!(
            test.auth
                .oauth()
                .refresh(tokens.refresh_token.expose(), None, None, origin())
                .await,
            Err(AuthError::Token(TokenError::InvalidGrant))
        ));
    }
}

#[tokio::test]
async fn introspection_is_limited_to_owner_and_administrators() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    test.register("eve").await;
    let (tokens, ada) = test.sign_in("ada").await;
    let (_, eve) = test.sign_in("eve").await;
    for token in [access_token(&tokens), tokens.refresh_token.expose()] {
        let found = test
            .auth
            .oauth()
            .introspect(&ada, token)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (found.username, found.session),
            (name("ada"), ada.session().id.clone())
        );
        assert!(
            test.auth
                .oauth()
                .introspect(&root, token)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            test.auth
                .oauth()
                .introspect(&eve, token)
                .await
                .unwrap()
                .is_none()
        );
    }
    assert!(
        test.auth
            .oauth()
            .introspect(&ada, "nonsense")
            .await
            .unwrap()
            .is_none()
    );
    test.auth.sessions().sign_out(&ada).await.unwrap();
    assert!(
        test.auth
            .oauth()
            .introspect(&root, access_token(&tokens))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn access_token_expires_with_its_session() {
    let test = test_auth_with(Settings {
        absolute_timeout: Duration::from_mins(10),
        ..settings()
    })
    .await;
    test.register("ada").await;
    assert_eq!(
        test.password_grant("ada", GOOD_PASSWORD)
            .await
            .unwrap()
            .expires_in,
        Duration::from_mins(10)
    );
}
