//! Sign-in through an upstream provider, and attacks on it.

use crate::error::{AccessError, SignInError, ThrottleError, UpstreamError};
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::{
    mock_provider::{MockProvider, is_provider_refusal, signed_in_caller},
    *,
};
use crate::{
    store::{
        AuthStore as _, EndReason, IdentityStore as _, OneTimeKind, OneTimeTokenStore as _,
        SessionEnd,
    },
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
async fn provider_without_recent_auth_time_gives_no_recency() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    for (claims, recent) in [
        (json!({"sub": "1"}), false),
        (json!({"sub": "1", "auth_time": NOW - 86_400}), false),
        (json!({"sub": "1", "auth_time": NOW - 601}), false),
        (json!({"sub": "1", "auth_time": NOW - 60}), true),
        (json!({"sub": "1", "auth_time": NOW + 3_600}), true),
    ] {
        provider.set_claims(claims.clone());
        let caller = signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
        match caller.require_recent() {
            Ok(()) => assert!(recent, "{claims}"),
            Err(AuthError::Access(AccessError::StepUpRequired { .. })) => {
                assert!(!recent, "{claims}")
            }
            Err(error) => panic!("{claims}: {error}"),
        }
        assert!(
            caller.session().auth_time <= test.auth.0.core.clock.now(),
            "{claims}"
        );
    }
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

#[tokio::test]
async fn provider_reauthentication_requires_recent_auth_time() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    let login = provider
        .start_login(&test, LoginPurpose::Reauthenticate)
        .await;
    assert_eq!(
        (
            login.query["prompt"].as_str(),
            login.query["max_age"].as_str()
        ),
        ("login", "0")
    );
    for claims in [
        json!({"sub": "1"}),
        json!({"sub": "1", "auth_time": NOW - 61}),
    ] {
        provider.set_claims(claims.clone());
        assert!(
            is_provider_refusal(
                &provider
                    .log_in(&test, LoginPurpose::Reauthenticate, None)
                    .await
            ),
            "{claims}"
        );
    }
    provider.set_claims(json!({"sub": "1", "auth_time": NOW - 30}));
    signed_in_caller(
        provider
            .log_in(&test, LoginPurpose::Reauthenticate, None)
            .await,
    )
    .require_recent()
    .unwrap();
    // The link of an identity requires the same.
    test.register("ada").await;
    let ada = sign_in_as(&test, "ada").await;
    provider.set_claims(json!({"sub": "2", "auth_time": NOW - 3_600}));
    assert!(is_provider_refusal(
        &provider
            .log_in(&test, LoginPurpose::Link(&ada), Some(ada.clone()))
            .await
    ));
    assert!(
        test.auth
            .upstream()
            .identities(&ada)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn provider_reauthentication_renews_only_the_same_identity() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1"}));
    let old = signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
    assert!(matches!(
        old.require_recent(),
        Err(AuthError::Access(AccessError::StepUpRequired { .. }))
    ));
    provider.set_claims(json!({"sub": "1", "auth_time": NOW}));
    let back = provider
        .log_in(&test, LoginPurpose::Reauthenticate, Some(old.clone()))
        .await;
    assert!(matches!(back, Ok(CallbackResult::Returned(next)) if next == "/account"));
    let again = test.auth.sessions().revalidate(&old).await.unwrap();
    again.require_recent().unwrap();
    // Another identity renews nothing: it signs in to its own account.
    test.clock.advance(Duration::from_mins(11));
    provider.set_claims(json!({"sub": "2", "auth_time": NOW + 660}));
    let other = signed_in_caller(
        provider
            .log_in(&test, LoginPurpose::Reauthenticate, Some(old.clone()))
            .await,
    );
    assert_ne!(other.account().username, old.account().username);
    let again = test.auth.sessions().revalidate(&old).await.unwrap();
    assert!(matches!(
        again.require_recent(),
        Err(AuthError::Access(AccessError::StepUpRequired { .. }))
    ));
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
async fn parallel_first_provider_sign_ins_share_one_account() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    let one = provider.start_login(&test, LoginPurpose::SignIn).await;
    // Another window creates the account while this one exchanges its code.
    let (store, done) = (test.store.clone(), AtomicBool::new(false));
    provider.on_token_request(move || {
        if !done.swap(true, Ordering::Relaxed) {
            store.create_linked_account("ada", "https://id.example", "1");
        }
    });
    let started = test.auth.0.hasher.started();
    let caller = signed_in_caller(one.finish(&test, None).await);
    assert_eq!(caller.account().username, name("ada"));
    assert!(test.auth.0.hasher.started() - started <= 1);
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
async fn factor_enrolled_during_provider_sign_in_is_enforced() {
    let provider = MockProvider::new();
    let armed = Arc::new(AtomicBool::new(false));
    let (store, is_armed) = (MemoryStore::with_realms(["main", "attic"]), armed.clone());
    let clock = MockClock(Arc::new(AtomicI64::new(NOW * 1_000_000)));
    let (micros, at_random) = (clock.0.clone(), store.clone());
    let service_clock = Clock::from_fn(move || {
        Timestamp::from_microsecond(micros.load(Ordering::Relaxed)).unwrap()
    });
    let rng = SecureRandom::from_fn(move |bytes| {
        // Randomness is read when the session is created, after all checks.
        if is_armed.swap(false, Ordering::Relaxed) {
            at_random.enroll_totp("ada");
        }
        aws_lc_rs::rand::fill(bytes).unwrap();
    });
    let auth = Auth::open(
        store.clone(),
        provider.settings(UnknownUsers::Reject),
        master_key(),
        service_clock,
        rng,
    )
    .await
    .unwrap();
    let test = TestAuth { auth, store, clock };
    link_identity(&provider, &test, "ada", "1").await;
    let login = provider.start_login(&test, LoginPurpose::SignIn).await;
    armed.store(true, Ordering::Relaxed);
    let outcome = login.finish(&test, None).await;
    assert!(!armed.load(Ordering::Relaxed));
    assert!(
        matches!(outcome, Err(AuthError::SignIn(SignInError::SignInExpired))),
        "{outcome:?}"
    );
    let live = test
        .store
        .sessions_of(&name("ada"), test.auth.0.core.clock.now())
        .await
        .unwrap();
    assert!(
        live.iter()
            .all(|session| !session.methods.contains(crate::AuthMethod::Upstream)),
        "{live:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ended_during_provider_callback_links_no_identity() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Reject).await;
    test.register("ada").await;
    let ada = sign_in_as(&test, "ada").await;
    provider.set_claims(json!({"sub": "1", "auth_time": NOW}));
    let login = provider.start_login(&test, LoginPurpose::Link(&ada)).await;
    let (auth, who) = (test.auth.clone(), ada.clone());
    provider.on_token_request(move || {
        let (auth, who) = (auth.clone(), who.clone());
        let end = SessionEnd {
            reason: EndReason::EndedByOwner,
            by: who.actor(),
            at: auth.0.core.clock.now(),
        };
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                auth.0
                    .core
                    .store
                    .end_sessions(&who.account().username, None, end)
                    .await
                    .unwrap();
                auth.0.invalidate(&who.account().username);
            });
        });
    });
    let outcome = login.finish(&test, Some(ada.clone())).await;
    assert!(
        matches!(
            outcome,
            Err(AuthError::Upstream(UpstreamError::StateMismatch))
        ),
        "{outcome:?}"
    );
    assert!(
        test.store
            .identity("https://id.example", "1")
            .await
            .unwrap()
            .is_none()
    );
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
                    Err(AuthError::Upstream(UpstreamError::ProviderUnavailable))
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

#[tokio::test(flavor = "multi_thread")]
async fn provider_callback_finishes_after_client_disconnects() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1"}));
    let login = provider.start_login(&test, LoginPurpose::SignIn).await;
    let held = provider.hold_token_responses();
    let asking = async {
        while provider.request_count("/token") == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = login.finish(&test, None) => panic!("finished without a token response: {outcome:?}"),
        () = asking => {}
    }
    assert!(test.store.audit_action_names().is_empty());
    held.add_permits(2);
    while !test.store.audit_action_names().contains(&"sign_in") {
        tokio::task::yield_now().await;
    }
    // The first callback finished: a second one finds the state consumed.
    assert!(matches!(
        login.finish(&test, None).await,
        Err(AuthError::Upstream(UpstreamError::StateMismatch))
    ));
}

#[tokio::test]
async fn login_state_from_older_security_epoch_is_rejected() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Reject).await;
    let ada = link_identity(&provider, &test, "ada", "1").await;
    let login = provider.start_login(&test, LoginPurpose::SignIn).await;
    test.clock.advance(std::time::Duration::from_secs(1));
    let end = SessionEnd {
        reason: EndReason::EndedByOwner,
        by: ada.actor(),
        at: test.auth.0.core.clock.now(),
    };
    test.store
        .end_sessions(&name("ada"), None, end)
        .await
        .unwrap();
    assert!(matches!(
        login.finish(&test, None).await,
        Err(AuthError::SignIn(SignInError::SignInExpired))
    ));
    signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
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
