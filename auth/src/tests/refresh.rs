//! Rotation, replay, revocation, introspection.

use std::time::Duration;

use super::*;
use crate::{
    AuthMethods, AuthorizationCodeGrant, Client, Clients, MailBody, Scope, Scopes, SecurityNotice,
    SessionKind, session::create::NewSession,
};

#[tokio::test]
async fn refresh_rotates_the_token_within_the_session() {
    let house = test_auth().await;
    house.register("ada").await;
    let (first, caller) = house.sign_in("ada").await;
    assert_eq!(first.expires_in, Duration::from_mins(30));
    house.clock.advance(Duration::from_mins(31));
    assert!(
        house
            .auth
            .authenticate_bearer(access_token(&first))
            .await
            .is_err()
    );
    let second = house
        .auth
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    let again = house
        .auth
        .authenticate_bearer(access_token(&second))
        .await
        .unwrap();
    assert_eq!(again.session().id, caller.session().id);
    assert_ne!(first.refresh_token.expose(), second.refresh_token.expose());
    house
        .auth
        .refresh(second.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn parallel_refreshes_leave_one_valid_refresh_token() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (auth, token) = (house.auth.clone(), tokens.refresh_token.expose().to_owned());
        uses.spawn(async move { auth.refresh(&token, None, None, origin()).await });
    }
    let answers = uses.join_all().await;
    assert!(answers.iter().any(Result::is_ok));
    assert_eq!(house.store.unused_refresh_token_count(), 1);
    let mut good = 0;
    for tokens in answers.iter().flatten() {
        good += usize::from(
            house
                .auth
                .introspect(
                    &bearer_caller(&house, tokens).await,
                    tokens.refresh_token.expose(),
                )
                .await
                .unwrap()
                .is_some(),
        );
    }
    assert_eq!(good, 1);
}

async fn bearer_caller(house: &TestAuth, tokens: &TokenResponse) -> Caller {
    house
        .auth
        .authenticate_bearer(access_token(tokens))
        .await
        .unwrap()
}

#[tokio::test]
async fn refresh_token_reuse_in_grace_needs_unused_successor() {
    let house = test_auth().await;
    house.register("ada").await;
    let (first, _) = house.sign_in("ada").await;
    house
        .auth
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    house.clock.advance(Duration::from_secs(10));
    let second = house
        .auth
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    house
        .auth
        .authenticate_bearer(access_token(&second))
        .await
        .unwrap();
    house
        .auth
        .refresh(second.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    // Now the successor is used.
    assert!(
        house
            .auth
            .refresh(first.refresh_token.expose(), None, None, origin())
            .await
            .is_err()
    );
    assert!(
        house
            .auth
            .authenticate_bearer(access_token(&second))
            .await
            .is_err()
    );
}

/// He notices the owner's refresh, say by introspection, and shows his copy within the grace.
#[tokio::test]
async fn stolen_refresh_token_used_within_grace_is_detected() {
    let house = test_auth().await;
    let address = crate::EmailAddress::parse("ada@example.org").unwrap();
    house
        .auth
        .register(
            crate::service::RegistrationRequest {
                email: Some(address),
                ..registration_request("ada")
            },
            &origin(),
        )
        .await
        .unwrap();
    let (stolen, _) = house.sign_in("ada").await;
    let owners = house
        .auth
        .refresh(stolen.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    let thiefs = house
        .auth
        .refresh(stolen.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    let mut letters = house.auth.take_mail_queue().unwrap();
    while letters.try_recv().is_ok() {}
    house.clock.advance(Duration::from_mins(29));
    let thiefs = house
        .auth
        .refresh(thiefs.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    house
        .auth
        .refresh(owners.refresh_token.expose(), None, None, origin())
        .await
        .unwrap_err();
    assert!(matches!(
        house.auth.authenticate_bearer(access_token(&thiefs)).await,
        Err(AuthError::InvalidToken)
    ));
    assert!(matches!(
        house
            .auth
            .refresh(thiefs.refresh_token.expose(), None, None, origin())
            .await,
        Err(AuthError::InvalidGrant)
    ));
    assert!(
        house
            .store
            .audit_actions()
            .contains(&("ada".to_owned(), "refresh.replayed"))
    );
    assert!(matches!(
        letters.try_recv().unwrap().body,
        MailBody::SecurityNotice {
            notice: SecurityNotice::TokenReplayed,
            ..
        }
    ));
}

#[tokio::test]
async fn replayed_refresh_token_ends_session_and_is_audited() {
    let house = test_auth().await;
    house.register("ada").await;
    let (first, _) = house.sign_in("ada").await;
    let second = house
        .auth
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    house
        .auth
        .authenticate_bearer(access_token(&second))
        .await
        .unwrap();
    house.clock.advance(Duration::from_secs(11));
    let replay = house
        .auth
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await;
    assert!(matches!(replay, Err(AuthError::InvalidGrant)));
    assert!(matches!(
        house.auth.authenticate_bearer(access_token(&second)).await,
        Err(AuthError::InvalidToken)
    ));
    assert!(matches!(
        house
            .auth
            .refresh(second.refresh_token.expose(), None, None, origin())
            .await,
        Err(AuthError::InvalidGrant)
    ));
    assert!(
        house
            .store
            .audit_actions()
            .contains(&("ada".to_owned(), "refresh.replayed"))
    );
}

#[tokio::test]
async fn revoking_access_or_refresh_token_ends_the_session() {
    for which in 0..2 {
        let house = test_auth().await;
        house.register("ada").await;
        let (tokens, _) = house.sign_in("ada").await;
        for nonsense in ["", "nonsense", "sr_rt_nonsense", "a.b.c"] {
            house.auth.revoke(nonsense, &origin()).await.unwrap();
        }
        house
            .auth
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
        house
            .auth
            .revoke(
                if which == 0 {
                    access_token(&tokens)
                } else {
                    tokens.refresh_token.expose()
                },
                &origin(),
            )
            .await
            .unwrap();
        assert!(
            house
                .auth
                .authenticate_bearer(access_token(&tokens))
                .await
                .is_err()
        );
        assert!(
            house
                .auth
                .refresh(tokens.refresh_token.expose(), None, None, origin())
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn introspection_is_limited_to_owner_and_administrators() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    house.register("eve").await;
    let (tokens, ada) = house.sign_in("ada").await;
    let (_, eve) = house.sign_in("eve").await;
    for token in [access_token(&tokens), tokens.refresh_token.expose()] {
        let found = house.auth.introspect(&ada, token).await.unwrap().unwrap();
        assert_eq!(
            (found.username, found.session),
            (name("ada"), ada.session().id.clone())
        );
        assert!(house.auth.introspect(&root, token).await.unwrap().is_some());
        assert!(house.auth.introspect(&eve, token).await.unwrap().is_none());
    }
    assert!(
        house
            .auth
            .introspect(&ada, "nonsense")
            .await
            .unwrap()
            .is_none()
    );
    house.auth.sign_out(&ada).await.unwrap();
    assert!(
        house
            .auth
            .introspect(&root, access_token(&tokens))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn access_token_expires_with_its_session() {
    let house = test_auth_with(Settings {
        absolute_timeout: Duration::from_mins(10),
        ..settings()
    })
    .await;
    house.register("ada").await;
    assert_eq!(
        house
            .password_grant("ada", GOOD_PASSWORD)
            .await
            .unwrap()
            .expires_in,
        Duration::from_mins(10)
    );
}

#[tokio::test]
async fn session_cookie_is_rejected_as_refresh_token() {
    let house = test_auth().await;
    house.register("ada").await;
    let web = house
        .auth
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    assert!(matches!(
        house
            .auth
            .refresh(web.secret.expose(), None, None, origin())
            .await,
        Err(AuthError::InvalidGrant)
    ));
}

#[tokio::test]
async fn refresh_with_narrower_scope_narrows_access_token_only() {
    let house = test_auth().await;
    house.register("ada").await;
    let (first, _) = house.sign_in("ada").await;
    let read = Scopes::of(&[Scope::ReadFiles]);
    let less = house
        .auth
        .refresh(first.refresh_token.expose(), None, Some(read), origin())
        .await
        .unwrap();
    assert_eq!(less.scope, "files:read");
    let caller = house
        .auth
        .authenticate_bearer(access_token(&less))
        .await
        .unwrap();
    assert_eq!(caller.session().scopes, read);
    assert!(!caller.is_interactive());
    // Neither a ticket nor a second look gives back what the token does not carry.
    let ticket = house.auth.issue_ticket(&caller);
    assert_eq!(
        house
            .auth
            .authenticate_ticket(ticket.expose())
            .await
            .unwrap()
            .session()
            .scopes,
        read
    );
    assert_eq!(
        house
            .auth
            .revalidate(&caller)
            .await
            .unwrap()
            .session()
            .scopes,
        read
    );
    // The refresh token keeps everything (RFC 6749 §6).
    let all = house
        .auth
        .refresh(less.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    assert_eq!(all.scope, Scopes::ALL.to_string());
}

#[tokio::test]
async fn refresh_with_wider_scope_is_rejected_without_rotation() {
    let house = test_auth().await;
    let account = house.register("ada").await;
    let scopes = Scopes::of(&[Scope::ReadFiles]);
    let new_session = NewSession {
        scopes,
        ..NewSession::interactive(SessionKind::OAuth, AuthMethods::NONE, origin())
    };
    let (_, token) = house
        .auth
        .create_session(&account, new_session)
        .await
        .unwrap()
        .unwrap();
    let wider = house
        .auth
        .refresh(token.expose(), None, Some(Scopes::ALL), origin())
        .await;
    assert!(matches!(wider, Err(AuthError::ScopeWidened)));
    let tokens = house
        .auth
        .refresh(token.expose(), None, Some(scopes), origin())
        .await
        .unwrap();
    assert_eq!(tokens.scope, "files:read");
}

#[tokio::test]
async fn replayed_refresh_token_sends_mail_to_owner() {
    let house = test_auth().await;
    let address = crate::EmailAddress::parse("ada@example.org").unwrap();
    house
        .auth
        .register(
            crate::service::RegistrationRequest {
                email: Some(address),
                ..registration_request("ada")
            },
            &origin(),
        )
        .await
        .unwrap();
    let (first, _) = house.sign_in("ada").await;
    let mut letters = house.auth.take_mail_queue().unwrap();
    while letters.try_recv().is_ok() {}
    house
        .auth
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    house.clock.advance(Duration::from_secs(11));
    house
        .auth
        .refresh(first.refresh_token.expose(), None, None, origin())
        .await
        .unwrap_err();
    let letter = letters.try_recv().unwrap();
    assert!(matches!(
        letter.body,
        MailBody::SecurityNotice {
            notice: SecurityNotice::TokenReplayed,
            ..
        }
    ));
}

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A program called cad that ada let in.
async fn authorize_client(house: &TestAuth) -> TokenResponse {
    house.register("ada").await;
    let (_, caller) = house.sign_in("ada").await;
    let back = "http://127.0.0.1/back";
    let client = house.auth.client_for("cad", back).unwrap();
    let (form, proof) = ((Some("code"), None), (Some(CHALLENGE), Some("S256")));
    let wanted = house
        .auth
        .validate_request(client, back, form, Some("files:read"), proof)
        .unwrap();
    let code = house.auth.authorize(&caller, wanted).await.unwrap();
    let redemption = AuthorizationCodeGrant {
        code: code.expose().into(),
        client: "cad".to_owned(),
        redirect_uri: back.to_owned(),
        verifier: VERIFIER.into(),
    };
    house
        .auth
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
    let house = test_auth_with_client().await;
    let tokens = authorize_client(&house).await;
    house
        .auth
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    let without = open_node(&house.store, &house.clock, settings()).await;
    assert!(matches!(
        without.authenticate_bearer(access_token(&tokens)).await,
        Err(AuthError::InvalidToken)
    ));
    let again = without
        .refresh(tokens.refresh_token.expose(), Some("cad"), None, origin())
        .await;
    assert!(matches!(again, Err(AuthError::InvalidGrant)), "{again:?}");
}

#[tokio::test]
async fn refresh_token_is_bound_to_its_client() {
    let house = test_auth_with_client().await;
    let tokens = authorize_client(&house).await;
    for other in [None, Some("strongroom-cli"), Some("CAD"), Some("")] {
        let refused = house
            .auth
            .refresh(tokens.refresh_token.expose(), other, None, origin())
            .await;
        assert!(matches!(refused, Err(AuthError::InvalidGrant)), "{other:?}");
    }
    house
        .auth
        .refresh(tokens.refresh_token.expose(), Some("cad"), None, origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn clock_set_back_does_not_extend_recent_authentication() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, caller) = house.sign_in("ada").await;
    house.clock.rewind(Duration::from_secs(4));
    assert!(
        house
            .auth
            .revalidate(&caller)
            .await
            .unwrap()
            .require_recent()
            .is_ok()
    );
    house.clock.rewind(Duration::from_hours(5));
    assert!(
        house
            .auth
            .revalidate(&caller)
            .await
            .unwrap()
            .require_recent()
            .is_err()
    );
}

#[tokio::test]
async fn rate_limited_session_can_still_refresh() {
    let house = test_auth_with(Settings {
        requests_per_minute: Some(60),
        ..settings()
    })
    .await;
    house.register("ada").await;
    let mut tokens = house.password_grant("ada", GOOD_PASSWORD).await.unwrap();
    for n in 0..70 {
        let answer = house.auth.authenticate_bearer(access_token(&tokens)).await;
        assert_eq!(
            matches!(answer, Err(AuthError::RateLimited { .. })),
            n >= 60,
            "{n}"
        );
    }
    for _ in 0..3 {
        tokens = house
            .auth
            .refresh(tokens.refresh_token.expose(), None, None, origin())
            .await
            .unwrap();
    }
}
