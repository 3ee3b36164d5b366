//! Refresh with a narrower scope, and sessions of OAuth clients.

use super::*;
use crate::{
    AuthMethods, AuthorizationCodeGrant, Client, Clients, Scope, Scopes, SessionKind,
    error::{AccessError, TokenError},
    session::create::NewSession,
};

#[tokio::test]
async fn refresh_with_narrower_scope_narrows_access_token_only() {
    let test = test_auth().await;
    test.register("ada").await;
    let (first, _) = test.sign_in("ada").await;
    let read = Scopes::of(&[Scope::ReadFiles]);
    let less = test
        .auth
        .oauth()
        .refresh(first.refresh_token.expose(), None, Some(read), origin())
        .await
        .unwrap();
    assert_eq!(less.scope, "files:read");
    let caller = test
        .auth
        .sessions()
        .authenticate_bearer(access_token(&less))
        .await
        .unwrap();
    assert_eq!(caller.session().scopes, read);
    assert!(!caller.is_interactive());
    // Neither a ticket nor a revalidation restores scopes that the token does not carry.
    let ticket = test.auth.sessions().issue_ticket(&caller);
    assert_eq!(
        test.auth
            .sessions()
            .authenticate_ticket(ticket.expose())
            .await
            .unwrap()
            .session()
            .scopes,
        read
    );
    assert_eq!(
        test.auth
            .sessions()
            .revalidate(&caller)
            .await
            .unwrap()
            .session()
            .scopes,
        read
    );
    // The refresh token keeps all scopes (RFC 6749 §6).
    let all = test
        .auth
        .oauth()
        .refresh(less.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    assert_eq!(all.scope, Scopes::ALL.to_string());
}

#[tokio::test]
async fn refresh_with_wider_scope_is_rejected_without_rotation() {
    let test = test_auth().await;
    let account = test.register("ada").await;
    let scopes = Scopes::of(&[Scope::ReadFiles]);
    let new_session = NewSession {
        scopes,
        ..NewSession::interactive(SessionKind::OAuth, AuthMethods::NONE, origin())
    };
    let (_, token) = test
        .auth
        .sessions()
        .create_session(&account, new_session)
        .await
        .unwrap()
        .unwrap();
    let wider = test
        .auth
        .oauth()
        .refresh(token.expose(), None, Some(Scopes::ALL), origin())
        .await;
    assert!(matches!(
        wider,
        Err(AuthError::Token(TokenError::ScopeWidened))
    ));
    let tokens = test
        .auth
        .oauth()
        .refresh(token.expose(), None, Some(scopes), origin())
        .await
        .unwrap();
    assert_eq!(tokens.scope, "files:read");
}

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Registers ada, who authorizes the client `cad`.
async fn authorize_client(test: &TestAuth) -> TokenResponse {
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    let back = "http://127.0.0.1/back";
    let client = test.auth.oauth().client_for("cad", back).unwrap();
    let (form, proof) = ((Some("code"), None), (Some(CHALLENGE), Some("S256")));
    let wanted = test
        .auth
        .oauth()
        .validate_request(client, back, form, Some("files:read"), proof)
        .unwrap();
    let code = test.auth.oauth().authorize(&caller, wanted).await.unwrap();
    let redemption = AuthorizationCodeGrant {
        code: code.expose().into(),
        client: "cad".to_owned(),
        redirect_uri: back.to_owned(),
        verifier: VERIFIER.into(),
    };
    test.auth
        .oauth()
        .exchange_code(redemption, origin())
        .await
        .unwrap()
}

async fn test_auth_with_client() -> TestAuth {
    let cad = Client::new("cad", "CAD", &["http://127.0.0.1/back".to_owned()]).unwrap();
    test_auth_with(Settings {
        clients: Clients::register(vec![cad]).unwrap(),
        ..settings()
    })
    .await
}

#[tokio::test]
async fn unregistered_client_loses_its_tokens() {
    let test = test_auth_with_client().await;
    let tokens = authorize_client(&test).await;
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    let without = open_node(&test.store, &test.clock, settings()).await;
    assert!(matches!(
        without
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let again = without
        .oauth()
        .refresh(tokens.refresh_token.expose(), Some("cad"), None, origin())
        .await;
    assert!(
        matches!(again, Err(AuthError::Token(TokenError::InvalidGrant))),
        "{again:?}"
    );
}

#[tokio::test]
async fn refresh_token_is_bound_to_its_client() {
    let test = test_auth_with_client().await;
    let tokens = authorize_client(&test).await;
    for other in [None, Some("strongroom-cli"), Some("CAD"), Some("")] {
        let refused = test
            .auth
            .oauth()
            .refresh(tokens.refresh_token.expose(), other, None, origin())
            .await;
        assert!(
            matches!(refused, Err(AuthError::Token(TokenError::InvalidGrant))),
            "{other:?}"
        );
    }
    test.auth
        .oauth()
        .refresh(tokens.refresh_token.expose(), Some("cad"), None, origin())
        .await
        .unwrap();
}
