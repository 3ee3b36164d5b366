//! Signing in through a provider, and whoever would like to get in that way.

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

async fn sign_in_as(house: &TestAuth, username: &str) -> Caller {
    house.sign_in(username).await.1
}

/// Joins the provider's account `sub` to somebody's, and says whose session it was.
async fn link_identity(
    there: &MockProvider,
    house: &TestAuth,
    username: &str,
    sub: &str,
) -> Caller {
    house.register(username).await;
    let caller = sign_in_as(house, username).await;
    there.set_claims(json!({"sub": sub, "auth_time": house.auth.0.clock.now().as_second()}));
    let back = there
        .log_in(house, LoginPurpose::Link(&caller), Some(caller.clone()))
        .await;
    assert!(matches!(back, Ok(CallbackResult::Returned(_))), "{back:?}");
    caller
}

#[tokio::test]
async fn provider_without_recent_auth_time_gives_no_recency() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    for (claims, recent) in [
        (json!({"sub": "1"}), false),
        (json!({"sub": "1", "auth_time": NOW - 86_400}), false),
        (json!({"sub": "1", "auth_time": NOW - 601}), false),
        (json!({"sub": "1", "auth_time": NOW - 60}), true),
        (json!({"sub": "1", "auth_time": NOW + 3_600}), true),
    ] {
        there.set_claims(claims.clone());
        let caller = signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
        assert_eq!(caller.require_recent().is_ok(), recent, "{claims}");
        assert!(
            caller.session().auth_time <= house.auth.0.clock.now(),
            "{claims}"
        );
    }
}

#[tokio::test]
async fn made_up_provider_codes_are_throttled() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    let left = there.start_login(&house, LoginPurpose::SignIn).await;
    let made_up = async |n: u32, from: Origin| {
        let callback = Callback {
            outcome: Ok(format!("made up {n}").into()),
            ..left.callback()
        };
        house
            .auth
            .handle_callback("work", callback, None, from)
            .await
    };
    for n in 0..150 {
        assert!(is_provider_refusal(&made_up(n, origin()).await), "{n}");
    }
    assert!(matches!(
        made_up(150, origin()).await,
        Err(AuthError::Throttled { .. })
    ));
    assert_eq!(there.request_count("/token"), 150);
    // That is their network's affair: elsewhere a good one is taken.
    there.set_claims(json!({"sub": "1"}));
    let elsewhere = Origin {
        address: [203, 0, 113, 9].into(),
        ..origin()
    };
    signed_in_caller(
        house
            .auth
            .handle_callback("work", left.callback(), None, elsewhere)
            .await,
    );
}

#[tokio::test]
async fn provider_reauthentication_requires_recent_auth_time() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    let left = there
        .start_login(&house, LoginPurpose::Reauthenticate)
        .await;
    assert_eq!(
        (
            left.query["prompt"].as_str(),
            left.query["max_age"].as_str()
        ),
        ("login", "0")
    );
    for claims in [
        json!({"sub": "1"}),
        json!({"sub": "1", "auth_time": NOW - 61}),
    ] {
        there.set_claims(claims.clone());
        assert!(
            is_provider_refusal(
                &there
                    .log_in(&house, LoginPurpose::Reauthenticate, None)
                    .await
            ),
            "{claims}"
        );
    }
    there.set_claims(json!({"sub": "1", "auth_time": NOW - 30}));
    assert!(
        signed_in_caller(
            there
                .log_in(&house, LoginPurpose::Reauthenticate, None)
                .await
        )
        .require_recent()
        .is_ok()
    );
    // The same for whoever joins two accounts.
    house.register("ada").await;
    let ada = sign_in_as(&house, "ada").await;
    there.set_claims(json!({"sub": "2", "auth_time": NOW - 3_600}));
    assert!(is_provider_refusal(
        &there
            .log_in(&house, LoginPurpose::Link(&ada), Some(ada.clone()))
            .await
    ));
    assert!(house.auth.identities(&ada).await.unwrap().is_empty());
}

#[tokio::test]
async fn provider_reauthentication_renews_only_the_same_identity() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    there.set_claims(json!({"sub": "1"}));
    let old = signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
    assert!(old.require_recent().is_err());
    there.set_claims(json!({"sub": "1", "auth_time": NOW}));
    let back = there
        .log_in(&house, LoginPurpose::Reauthenticate, Some(old.clone()))
        .await;
    assert!(matches!(back, Ok(CallbackResult::Returned(next)) if next == "/account"));
    assert!(
        house
            .auth
            .revalidate(&old)
            .await
            .unwrap()
            .require_recent()
            .is_ok()
    );
    // Somebody else's account there confirms nothing here: it signs in as itself.
    house.clock.advance(Duration::from_mins(11));
    there.set_claims(json!({"sub": "2", "auth_time": NOW + 660}));
    let other = signed_in_caller(
        there
            .log_in(&house, LoginPurpose::Reauthenticate, Some(old.clone()))
            .await,
    );
    assert_ne!(other.account().username, old.account().username);
    assert!(
        house
            .auth
            .revalidate(&old)
            .await
            .unwrap()
            .require_recent()
            .is_err()
    );
}

#[tokio::test]
async fn hanging_provider_blocks_no_other_and_backs_off() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    let depart = |id: &'static str| {
        let auth = house.auth.clone();
        tokio::spawn(async move {
            auth.start_login(id, LoginPurpose::SignIn, "/".to_owned(), None)
                .await
        })
    };
    let began = std::time::Instant::now();
    let waiting: Vec<_> = (0..4).map(|_| depart("dead")).collect();
    tokio::task::yield_now().await;
    depart("work").await.unwrap().unwrap();
    assert!(
        waiting.iter().all(|one| !one.is_finished()),
        "the other one is there at once"
    );
    for one in waiting {
        assert!(matches!(
            one.await.unwrap(),
            Err(AuthError::ProviderUnavailable)
        ));
    }
    let once = crate::upstream::FETCH_TIMEOUT;
    assert!(
        (once..once * 3).contains(&began.elapsed()),
        "one after the other: {:?}",
        began.elapsed()
    );
    assert!(matches!(
        depart("dead").await.unwrap(),
        Err(AuthError::ProviderUnavailable)
    ));
    assert_eq!(
        there.request_count("hung"),
        1,
        "those in line, and who came right after, did not ask again"
    );
    house.clock.advance(Duration::from_secs(11));
    assert!(depart("dead").await.unwrap().is_err());
    assert_eq!(there.request_count("hung"), 2, "a while later it is");
}

#[tokio::test]
async fn parallel_first_provider_sign_ins_share_one_account() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    there.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    let one = there.start_login(&house, LoginPurpose::SignIn).await;
    // The other window was quicker, while this one had its code redeemed.
    let (store, done) = (house.store.clone(), AtomicBool::new(false));
    there.on_token_request(move || {
        if !done.swap(true, Ordering::Relaxed) {
            store.create_linked_account("ada", "https://id.example", "1");
        }
    });
    let begun = house.auth.0.hasher.started();
    let caller = signed_in_caller(one.finish(&house, None).await);
    assert_eq!(caller.account().username, name("ada"));
    assert!(house.auth.0.hasher.started() - begun <= 1);
}

#[tokio::test]
async fn provisioning_a_taken_username_costs_one_hash() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    for n in 1..15 {
        there.set_claims(json!({"sub": n.to_string(), "preferred_username": "ada"}));
        let begun = house.auth.0.hasher.started();
        let caller = signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
        assert!(caller.account().username.as_str().starts_with("ada"));
        assert_eq!(house.auth.0.hasher.started() - begun, 1);
    }
    there.set_claims(json!({"sub": "operator", "preferred_username": "Console"}));
    let caller = signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
    assert_eq!(
        caller.account().username,
        name("console2"),
        "nobody is read as the operator"
    );
}

#[tokio::test]
async fn login_state_is_unstored_and_consumed_once() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    there.set_claims(json!({"sub": "1"}));
    let left = there.start_login(&house, LoginPurpose::SignIn).await;
    for _ in 0..200 {
        there.start_login(&house, LoginPurpose::SignIn).await;
    }
    let kept = house
        .store
        .list_tokens(OneTimeKind::Upstream, None, house.auth.0.clock.now())
        .await
        .unwrap();
    assert!(kept.is_empty());
    there.set_metadata(json!({}));
    let now = there.start_login(&house, LoginPurpose::SignIn).await;
    let at_once = tokio::join!(now.finish(&house, None), now.finish(&house, None));
    assert!(at_once.0.is_ok() != at_once.1.is_ok(), "{at_once:?}");
    assert!(matches!(
        now.finish(&house, None).await,
        Err(AuthError::StateMismatch)
    ));
    // Neither another browser's, nor too late.
    assert!(matches!(
        house
            .auth
            .handle_callback(
                "work",
                crate::upstream::Callback {
                    browser_token: Some(now.browser_token),
                    ..left.callback()
                },
                None,
                origin()
            )
            .await,
        Err(AuthError::StateMismatch)
    ));
    let late = there.start_login(&house, LoginPurpose::SignIn).await;
    house.clock.advance(Duration::from_mins(10));
    assert!(matches!(
        late.finish(&house, None).await,
        Err(AuthError::StateMismatch)
    ));
}

#[tokio::test]
async fn invalid_provider_subject_is_rejected() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    for sub in ["", " ", "a\0", "a\u{1}", "é", "a ", "a\n", &"a".repeat(256)] {
        there.set_claims(json!({"sub": sub, "preferred_username": "ada"}));
        assert!(
            is_provider_refusal(&there.log_in(&house, LoginPurpose::SignIn, None).await),
            "{sub:?}"
        );
    }
    assert!(
        house
            .store
            .credentials(&name("ada"))
            .await
            .unwrap()
            .is_none()
    );
    let (sub, long) = ("a".repeat(255), format!("a\u{7}{}", "é".repeat(400)));
    there.set_claims(json!({"sub": sub, "preferred_username": long}));
    let caller = signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
    let known_as = house.auth.identities(&caller).await.unwrap()[0]
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
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    there.set_claims(json!({"sub": "1"}));
    signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
    for kid in ["two", "two"] {
        house.clock.advance(Duration::from_mins(1));
        there.rotate_key(kid);
        signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
    }
    assert_eq!(there.request_count("/jwks"), 3);
    // What is wrong otherwise makes nobody ask again, nor do forgeries more than so often.
    house.clock.advance(Duration::from_mins(1));
    for wrong in [
        json!({"sub": "1", "aud": "another"}),
        json!({"sub": "1", "azp": "another"}),
        json!({"sub": ""}),
    ] {
        there.set_claims(wrong);
        assert!(is_provider_refusal(
            &there.log_in(&house, LoginPurpose::SignIn, None).await
        ));
    }
    assert_eq!(there.request_count("/jwks"), 3);
}

#[tokio::test]
async fn factor_enrolled_during_provider_sign_in_is_enforced() {
    let there = MockProvider::new();
    let armed = Arc::new(AtomicBool::new(false));
    let (store, fires) = (MemoryStore::with_realms(["main", "attic"]), armed.clone());
    let hands = MockClock(Arc::new(AtomicI64::new(NOW * 1_000_000)));
    let (told, kept) = (hands.clone(), store.clone());
    let clock = Clock::from_fn(move || {
        Timestamp::from_microsecond(told.0.load(Ordering::Relaxed)).unwrap()
    });
    let chance = SecureRandom::from_fn(move |bytes| {
        // Chance is asked for when the session begins: after everything was looked at.
        if fires.swap(false, Ordering::Relaxed) {
            kept.enroll_totp("ada");
        }
        aws_lc_rs::rand::fill(bytes).unwrap();
    });
    let auth = Auth::open(
        store.clone(),
        there.settings(UnknownUsers::Reject),
        master_key(),
        clock,
        chance,
    )
    .await
    .unwrap();
    let house = TestAuth {
        auth,
        store,
        clock: hands,
    };
    link_identity(&there, &house, "ada", "1").await;
    let left = there.start_login(&house, LoginPurpose::SignIn).await;
    armed.store(true, Ordering::Relaxed);
    let outcome = left.finish(&house, None).await;
    assert!(
        !armed.load(Ordering::Relaxed) && outcome.is_err(),
        "{outcome:?}"
    );
    let live = house
        .store
        .sessions_of(&name("ada"), house.auth.0.clock.now())
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
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Reject).await;
    house.register("ada").await;
    let ada = sign_in_as(&house, "ada").await;
    there.set_claims(json!({"sub": "1", "auth_time": NOW}));
    let left = there.start_login(&house, LoginPurpose::Link(&ada)).await;
    let (auth, who) = (house.auth.clone(), ada.clone());
    there.on_token_request(move || {
        let (auth, who) = (auth.clone(), who.clone());
        let end = SessionEnd {
            reason: EndReason::EndedByOwner,
            by: who.actor(),
            at: auth.0.clock.now(),
        };
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                auth.0
                    .store
                    .end_sessions(&who.account().username, None, end)
                    .await
                    .unwrap();
                auth.invalidate(&who.account().username);
            });
        });
    });
    let outcome = left.finish(&house, Some(ada.clone())).await;
    assert!(
        matches!(outcome, Err(AuthError::StateMismatch)),
        "{outcome:?}"
    );
    assert!(
        house
            .store
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
            let there = MockProvider::new();
            there.set_metadata(json!({ endpoint: address }));
            let house = there.test_auth(UnknownUsers::Provision).await;
            let departure = house
                .auth
                .start_login("work", LoginPurpose::SignIn, "/".to_owned(), None)
                .await;
            assert!(
                matches!(departure, Err(AuthError::ProviderUnavailable)),
                "{endpoint} {address}"
            );
            assert_eq!(there.request_count("/x"), 0, "{endpoint} {address}");
        }
    }
}

#[tokio::test]
async fn provider_sign_in_requires_pending_password_reset_first() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Reject).await;
    link_identity(&there, &house, "ada", "1").await;
    signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
    let to = crate::AccountChange {
        must_change_password: Some(true),
        ..crate::AccountChange::default()
    };
    let (by, at) = (crate::Actor::console(), house.auth.0.clock.now());
    house
        .store
        .change_account(&name("ada"), to, by, at)
        .await
        .unwrap();
    let outcome = there.log_in(&house, LoginPurpose::SignIn, None).await;
    assert!(
        matches!(outcome, Err(AuthError::PasswordChangeRequired)),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_callback_finishes_after_client_disconnects() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Provision).await;
    there.set_claims(json!({"sub": "1"}));
    let left = there.start_login(&house, LoginPurpose::SignIn).await;
    let held = there.hold_token_responses();
    let asking = async {
        while there.request_count("/token") == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = left.finish(&house, None) => panic!("nobody answered: {outcome:?}"),
        () = asking => {}
    }
    assert!(house.store.audit_action_names().is_empty());
    held.add_permits(2);
    while !house.store.audit_action_names().contains(&"sign_in") {
        tokio::task::yield_now().await;
    }
    // The same callback again gets no further: the first one went to its end.
    assert!(matches!(
        left.finish(&house, None).await,
        Err(AuthError::StateMismatch)
    ));
}

#[tokio::test]
async fn login_state_from_older_security_epoch_is_rejected() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Reject).await;
    let ada = link_identity(&there, &house, "ada", "1").await;
    let left = there.start_login(&house, LoginPurpose::SignIn).await;
    house.clock.advance(std::time::Duration::from_secs(1));
    let end = SessionEnd {
        reason: EndReason::EndedByOwner,
        by: ada.actor(),
        at: house.auth.0.clock.now(),
    };
    house
        .store
        .end_sessions(&name("ada"), None, end)
        .await
        .unwrap();
    assert!(matches!(
        left.finish(&house, None).await,
        Err(AuthError::SignInExpired)
    ));
    signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
}

#[tokio::test]
async fn unlinked_provider_ends_its_session() {
    let there = MockProvider::new();
    let house = there.test_auth(UnknownUsers::Reject).await;
    let ada = link_identity(&there, &house, "ada", "1").await;
    let thief = signed_in_caller(there.log_in(&house, LoginPurpose::SignIn, None).await);
    let id = crate::upstream::identity_id("https://id.example", "1");
    house
        .auth
        .unlink_identity(&ada, &id, &origin())
        .await
        .unwrap();
    assert!(house.auth.revalidate(&thief).await.is_err());
    assert!(house.auth.revalidate(&ada).await.is_ok());
    assert!(matches!(
        there.log_in(&house, LoginPurpose::SignIn, None).await,
        Err(AuthError::IdentityNotLinked)
    ));
}
