//! Changes to the account while a login at a provider runs.

use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::*;
use crate::{
    error::{SignInError, UpstreamError},
    store::{AuthStore as _, EndReason, IdentityStore as _, SessionEnd},
    tests::mock_provider::{MockProvider, signed_in_caller},
    upstream::{LoginPurpose, UnknownUsers},
};

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
