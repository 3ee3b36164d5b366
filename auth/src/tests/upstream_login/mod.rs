//! Sign-in through an upstream provider, and attacks on it.

mod races;
mod recency;

use serde_json::json;

use super::{
    mock_provider::{MockProvider, is_provider_refusal, signed_in_caller},
    *,
};
use crate::{
    error::{AccessError, SignInError, ThrottleError, UpstreamError},
    store::{AuthStore as _, OneTimeKind, OneTimeTokenStore as _},
    upstream::{Callback, CallbackResult, LoginPurpose, UnknownUsers},
};

const NOW: i64 = 1_800_000_000;

async fn sign_in_as(test: &TestAuth, username: &str) -> Caller {
    test.sign_in(username).await.1
}

/// Registers `username`, links the provider's account `sub` to it, and returns its session.
async fn link_identity(
    provider: &MockProvider,
    test: &TestAuth,
    username: &str,
    sub: &str,
) -> Caller {
    test.register(username).await;
    let caller = sign_in_as(test, username).await;
    provider.set_claims(json!({"sub": sub, "auth_time": test.auth.0.core.clock.now().as_second()}));
    let back = provider
        .log_in(test, LoginPurpose::Link(&caller), Some(caller.clone()))
        .await;
    assert!(matches!(back, Ok(CallbackResult::Returned(_))), "{back:?}");
    caller
}

#[tokio::test]
async fn made_up_provider_codes_are_throttled() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    let login = provider.start_login(&test, LoginPurpose::SignIn).await;
    let made_up = async |n: u32, from: Origin| {
        let callback = Callback {
            outcome: Ok(format!("made up {n}").into()),
            ..login.callback()
        };
        test.auth
            .upstream()
            .handle_callback("work", callback, None, from)
            .await
    };
    for n in 0..150 {
        assert!(is_provider_refusal(&made_up(n, origin()).await), "{n}");
    }
    assert!(matches!(
        made_up(150, origin()).await,
        Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
    ));
    assert_eq!(provider.request_count("/token"), 150);
    // The limit is by network: a valid code from another network passes.
    provider.set_claims(json!({"sub": "1"}));
    let elsewhere = Origin {
        address: [203, 0, 113, 9].into(),
        ..origin()
    };
    signed_in_caller(
        test.auth
            .upstream()
            .handle_callback("work", login.callback(), None, elsewhere)
            .await,
    );
}

#[tokio::test(start_paused = true)]
async fn hanging_provider_blocks_no_other_and_backs_off() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    let start_login = |id: &'static str| {
        let auth = test.auth.clone();
        tokio::spawn(async move {
            auth.upstream()
                .start_login(id, LoginPurpose::SignIn, "/".to_owned(), None)
                .await
        })
    };
    let began = tokio::time::Instant::now();
    let waiting: Vec<_> = (0..4).map(|_| start_login("dead")).collect();
    tokio::task::yield_now().await;
    start_login("work").await.unwrap().unwrap();
    assert!(
        waiting.iter().all(|one| !one.is_finished()),
        "the other provider answers at once"
    );
    for one in waiting {
        assert!(matches!(
            one.await.unwrap(),
            Err(AuthError::Upstream(UpstreamError::ProviderUnavailable))
        ));
    }
    // One timeout for all, not one after the other.
    assert_eq!(began.elapsed(), crate::upstream::FETCH_TIMEOUT);
    assert!(matches!(
        start_login("dead").await.unwrap(),
        Err(AuthError::Upstream(UpstreamError::ProviderUnavailable))
    ));
    assert_eq!(
        provider.request_count("hung"),
        1,
        "waiting and immediately following logins repeat the request"
    );
    test.clock.advance(Duration::from_secs(11));
    assert!(matches!(
        start_login("dead").await.unwrap(),
        Err(AuthError::Upstream(UpstreamError::ProviderUnavailable))
    ));
    assert_eq!(
        provider.request_count("hung"),
        2,
        "a request follows the cooldown"
    );
}

#[tokio::test]
async fn provisioning_a_taken_username_costs_one_hash() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    for n in 1..15 {
        provider.set_claims(json!({"sub": n.to_string(), "preferred_username": "ada"}));
        let started = test.auth.0.hasher.started();
        let caller = signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
        assert!(caller.account().username.as_str().starts_with("ada"));
        assert_eq!(test.auth.0.hasher.started() - started, 1);
    }
    provider.set_claims(json!({"sub": "operator", "preferred_username": "Console"}));
    let caller = signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
    assert_eq!(
        caller.account().username,
        name("console2"),
        "no account gets the name of the operator"
    );
}

#[tokio::test]
async fn login_state_is_unstored_and_consumed_once() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1"}));
    let login = provider.start_login(&test, LoginPurpose::SignIn).await;
    for _ in 0..200 {
        provider.start_login(&test, LoginPurpose::SignIn).await;
    }
    let stored = test
        .store
        .list_tokens(OneTimeKind::Upstream, None, test.auth.0.core.clock.now())
        .await
        .unwrap();
    assert!(stored.is_empty());
    provider.set_metadata(json!({}));
    let now = provider.start_login(&test, LoginPurpose::SignIn).await;
    let at_once = tokio::join!(now.finish(&test, None), now.finish(&test, None));
    assert!(
        matches!(
            &at_once,
            (
                Ok(_),
                Err(AuthError::Upstream(UpstreamError::StateMismatch))
            ) | (
                Err(AuthError::Upstream(UpstreamError::StateMismatch)),
                Ok(_)
            )
        ),
        "{at_once:?}"
    );
    assert!(matches!(
        now.finish(&test, None).await,
        Err(AuthError::Upstream(UpstreamError::StateMismatch))
    ));
    // Rejected: the state of another browser, and an expired state.
    assert!(matches!(
        test.auth
            .upstream()
            .handle_callback(
                "work",
                crate::upstream::Callback {
                    browser_token: Some(now.browser_token),
                    ..login.callback()
                },
                None,
                origin()
            )
            .await,
        Err(AuthError::Upstream(UpstreamError::StateMismatch))
    ));
    let late = provider.start_login(&test, LoginPurpose::SignIn).await;
    test.clock.advance(Duration::from_mins(10));
    assert!(matches!(
        late.finish(&test, None).await,
        Err(AuthError::Upstream(UpstreamError::StateMismatch))
    ));
}

#[tokio::test]
async fn invalid_provider_subject_is_rejected() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    for sub in ["", " ", "a\0", "a\u{1}", "é", "a ", "a\n", &"a".repeat(256)] {
        provider.set_claims(json!({"sub": sub, "preferred_username": "ada"}));
        assert!(
            is_provider_refusal(&provider.log_in(&test, LoginPurpose::SignIn, None).await),
            "{sub:?}"
        );
    }
    assert!(
        test.store
            .credentials(&name("ada"))
            .await
            .unwrap()
            .is_none()
    );
    let (sub, long) = ("a".repeat(255), format!("a\u{7}{}", "é".repeat(400)));
    provider.set_claims(json!({"sub": sub, "preferred_username": long}));
    let caller = signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
    let known_as = test.auth.upstream().identities(&caller).await.unwrap()[0]
        .display_hint
        .clone()
        .unwrap();
    assert_eq!(
        (
            known_as.chars().count(),
            known_as.contains(char::is_control)
        ),
        (255, false)
    );
}

#[tokio::test]
async fn provider_key_rotation_refetches_jwks_at_sign_in() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1"}));
    signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
    for kid in ["two", "two"] {
        test.clock.advance(Duration::from_mins(1));
        provider.rotate_key(kid);
        signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
    }
    assert_eq!(provider.request_count("/jwks"), 3);
    // Other errors in an ID token cause no new fetch of the keys.
    test.clock.advance(Duration::from_mins(1));
    for wrong in [
        json!({"sub": "1", "aud": "another"}),
        json!({"sub": "1", "azp": "another"}),
        json!({"sub": ""}),
    ] {
        provider.set_claims(wrong);
        assert!(is_provider_refusal(
            &provider.log_in(&test, LoginPurpose::SignIn, None).await
        ));
    }
    assert_eq!(provider.request_count("/jwks"), 3);
}

#[tokio::test]
async fn provider_endpoints_on_http_or_loopback_are_rejected() {
    for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        for address in [
            "http://id.example/x",
            "http://127.0.0.1/x",
            "https://127.0.0.1/x",
            "https://localhost/x",
            "https://[::1]/x",
            "https://a:b@id.example/x",
            "ftp://id.example/x",
        ] {
            let provider = MockProvider::new();
            provider.set_metadata(json!({ endpoint: address }));
            let test = provider.test_auth(UnknownUsers::Provision).await;
            let started = test
                .auth
                .upstream()
                .start_login("work", LoginPurpose::SignIn, "/".to_owned(), None)
                .await;
            assert!(
                matches!(
                    started,
                    Err(AuthError::Upstream(UpstreamError::ProviderResponseUnusable))
                ),
                "{endpoint} {address}"
            );
            assert_eq!(provider.request_count("/x"), 0, "{endpoint} {address}");
        }
    }
}

#[tokio::test]
async fn provider_sign_in_requires_pending_password_reset_first() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Reject).await;
    link_identity(&provider, &test, "ada", "1").await;
    signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
    let to = crate::AccountChange {
        must_change_password: Some(true),
        ..crate::AccountChange::default()
    };
    let (by, at) = (crate::Actor::console(), test.auth.0.core.clock.now());
    test.store
        .change_account(&name("ada"), to, by, at)
        .await
        .unwrap();
    let outcome = provider.log_in(&test, LoginPurpose::SignIn, None).await;
    assert!(
        matches!(
            outcome,
            Err(AuthError::SignIn(SignInError::PasswordChangeRequired))
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn unlinked_provider_ends_its_session() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Reject).await;
    let ada = link_identity(&provider, &test, "ada", "1").await;
    let thief = signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
    let id = crate::upstream::identity_id("https://id.example", "1");
    test.auth
        .upstream()
        .unlink_identity(&ada, &id, &origin())
        .await
        .unwrap();
    assert!(matches!(
        test.auth.sessions().revalidate(&thief).await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    test.auth.sessions().revalidate(&ada).await.unwrap();
    assert!(matches!(
        provider.log_in(&test, LoginPurpose::SignIn, None).await,
        Err(AuthError::Upstream(UpstreamError::IdentityNotLinked))
    ));
}
