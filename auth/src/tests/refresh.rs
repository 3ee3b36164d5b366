//! Refresh token rotation, replay detection, revocation and introspection.

use crate::error::{AccessError, ThrottleError, TokenError};
use std::time::Duration;

use super::*;
use crate::{
    AuthMethods, AuthorizationCodeGrant, Client, Clients, MailBody, Scope, Scopes, SecurityNotice,
    SessionKind, session::create::NewSession,
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
    let owners = test
        .auth
        .oauth()
        .refresh(stolen.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    let thiefs = test
        .auth
        .oauth()
        .refresh(stolen.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    while mails.try_recv().is_ok() {}
    test.clock.advance(Duration::from_mins(29));
    let thiefs = test
        .auth
        .oauth()
        .refresh(thiefs.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    assert!(matches!(
        test.auth
            .oauth()
            .refresh(owners.refresh_token.expose(), None, None, origin())
            .await,
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
        test.auth
            .oauth()
            .refresh(thiefs.refresh_token.expose(), None, None, origin())
            .await,
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
