//! Signing in, and how fast its end is felt.

use std::time::Duration;

use super::*;
use crate::{
    AccountChange, AccountStatus, Actor, AuthStore as _, SessionKind, access::policy::AuthVia,
    service::SignedIn, store::PasswordWrite,
};

#[tokio::test]
async fn failed_sign_ins_are_indistinguishable_and_hash_once() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    house.register("bob").await;
    let disabled = AccountChange {
        status: Some(AccountStatus::Disabled),
        ..AccountChange::default()
    };
    house
        .auth
        .change_account(&root.permit(None).unwrap(), &name("bob"), disabled)
        .await
        .unwrap();
    for (username, raw) in [
        ("ada", "wrong password here"),
        ("nobody", GOOD_PASSWORD),
        ("bob", GOOD_PASSWORD),
        ("<a b>", GOOD_PASSWORD),
        ("", ""),
    ] {
        let before = house.auth.0.hasher.started();
        let error = house.password_grant(username, raw).await.unwrap_err();
        assert!(
            matches!(error, AuthError::InvalidCredentials),
            "{username}: {error}"
        );
        assert_eq!(error.to_string(), "Incorrect username or password");
        assert_eq!(house.auth.0.hasher.started() - before, 1, "{username}");
    }
}

/// With costs that make the test quick.
#[tokio::test]
async fn failed_sign_in_runs_each_hash_profile_once() {
    let house = test_auth().await;
    house.register("ada").await;
    house
        .import_account("bob", &bcrypt::hash("short", 4).unwrap())
        .await;
    house
        .import_account("cy", &bcrypt::hash("short", 5).unwrap())
        .await;
    let made_for = async |username: &str, raw: &str| {
        let before = house.auth.0.hasher.started();
        let refused = house.password_grant(username, raw).await.is_err();
        (house.auth.0.hasher.started() - before, refused)
    };
    for username in ["ada", "bob", "cy", "nobody", "<a b>"] {
        assert_eq!(
            made_for(username, "wrong password here").await,
            (3, true),
            "{username}"
        );
    }
    // Whoever is right pays for what is their own: one hash, and one more to replace it.
    assert_eq!(made_for("ada", GOOD_PASSWORD).await, (1, false));
    assert_eq!(made_for("bob", "short").await, (2, false));
    house.auth.refresh_hash_profiles().await.unwrap();
    assert_eq!(made_for("nobody", "wrong password here").await, (2, true));
    assert_eq!(made_for("cy", "short").await, (2, false));
    house.auth.refresh_hash_profiles().await.unwrap();
    for username in ["ada", "bob", "cy", "nobody"] {
        assert_eq!(
            made_for(username, "wrong password here").await,
            (1, true),
            "{username}"
        );
    }
}

#[tokio::test]
async fn hash_profile_from_another_process_is_discovered() {
    let house = test_auth().await;
    let other = open_node(&house.store, &house.clock, settings()).await;
    let hash = PasswordHash::import(&bcrypt::hash("short", 4).unwrap()).unwrap();
    other
        .import_account(ImportedAccount {
            username: name("bob"),
            password: hash,
            administrator: false,
        })
        .await
        .unwrap();
    let made_for = async |auth: &Auth<MemoryStore>, username: &str| {
        let before = auth.0.hasher.started();
        auth.token(username, password("wrong password here"), origin())
            .await
            .unwrap_err();
        auth.0.hasher.started() - before
    };
    assert_eq!(made_for(&house.auth, "nobody").await, 1);
    assert_eq!(made_for(&house.auth, "bob").await, 2);
    assert_eq!(made_for(&house.auth, "nobody").await, 2);
    let restarted = open_node(&house.store, &house.clock, settings()).await;
    assert_eq!(made_for(&restarted, "nobody").await, 2);
}

#[tokio::test]
async fn sign_in_attempts_are_audited_without_unknown_usernames() {
    let house = test_auth().await;
    house.register("ada").await;
    let _ = house.password_grant("ada\0\n", GOOD_PASSWORD).await;
    // The password, typed into the wrong field.
    let _ = house
        .password_grant("correct-horse-battery", GOOD_PASSWORD)
        .await;
    let _ = house.password_grant("ada", "not the password at all").await;
    house.password_grant("Ada", GOOD_PASSWORD).await.unwrap();
    let expected = ["", "", "ada"].map(|name| (name.to_owned(), "sign_in.refused"));
    let deeds = house.store.audit_actions();
    assert_eq!(deeds[..3], expected);
    assert_eq!(deeds[3..], [("ada".to_owned(), "sign_in")]);
}

#[tokio::test]
async fn imported_bcrypt_hash_is_rehashed_at_sign_in() {
    let house = test_auth().await;
    house
        .import_account("ada", &bcrypt::hash("short", 4).unwrap())
        .await;
    house.password_grant("ada", "short").await.unwrap();
    assert!(house.store.password_hash("ada").contains("$argon2id$"));
    house.password_grant("ada", "short").await.unwrap();
    assert!(house.password_grant("ada", "shorter").await.is_err());
}

#[tokio::test]
async fn imported_bcrypt_hash_over_72_bytes_never_verifies() {
    let house = test_auth().await;
    let long = "0123456789".repeat(8);
    house
        .import_account("ada", &bcrypt::hash(&long, 4).unwrap())
        .await;
    assert!(matches!(
        house.password_grant("ada", &long).await,
        Err(AuthError::InvalidCredentials)
    ));
    assert!(
        house
            .password_grant("ada", &(long[..72].to_owned() + "something else"))
            .await
            .is_err()
    );
    assert!(house.store.password_hash("ada").starts_with("$2b$"));
}

/// ASVS 5.0 §6.2.10.
#[tokio::test]
async fn password_does_not_expire_after_two_years() {
    let house = test_auth().await;
    house.register("ada").await;
    let hash = house.store.password_hash("ada");
    house.clock.advance(2 * Duration::from_hours(365 * 24));
    let (_, caller) = house.sign_in("ada").await;
    assert!(!caller.account().must_change_password);
    house.auth.sessions(&caller).await.unwrap();
    assert_eq!(house.store.password_hash("ada"), hash);
}

#[tokio::test]
async fn database_dump_without_pepper_verifies_no_password() {
    let house = test_auth().await;
    house.register("ada").await;
    house.password_grant("ada", GOOD_PASSWORD).await.unwrap();
    let thief = MasterKey::parse("Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd").unwrap();
    let open = |key| {
        Auth::open(
            house.store.clone(),
            settings(),
            key,
            house.auth.0.clock.clone(),
            SecureRandom::system(),
        )
    };
    assert!(matches!(
        open(thief).await,
        Err(AuthError::MasterKeyMismatch)
    ));
    // Whoever has the rows can take the ring out, so that a key of their own will do for tokens; for passwords it won't.
    house.store.delete_key_ring();
    let thief = MasterKey::parse("Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd").unwrap();
    let stolen = open(thief).await.unwrap();
    assert!(matches!(
        stolen.token("ada", password(GOOD_PASSWORD), origin()).await,
        Err(AuthError::InvalidCredentials)
    ));
}

#[tokio::test]
async fn parallel_sign_ins_of_imported_account_succeed() {
    let house = test_auth().await;
    house
        .import_account("ada", &bcrypt::hash("short", 4).unwrap())
        .await;
    let (a, b, c) = tokio::join!(
        house.password_grant("ada", "short"),
        house.password_grant("ada", "short"),
        house.password_grant("ada", "short")
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
}

#[tokio::test]
async fn password_changed_during_sign_in_opens_no_session() {
    let house = test_auth().await;
    house.register("ada").await;
    let epoch = house
        .store
        .credentials(&name("ada"))
        .await
        .unwrap()
        .unwrap()
        .account
        .epoch;
    let old = PasswordHash::from_stored(&house.store.password_hash("ada"));
    let new = house
        .auth
        .0
        .hasher
        .hash(&Arc::new(password("a different long password")))
        .await
        .unwrap();
    house.store.pause_loads();
    let sign_in = tokio::spawn({
        let auth = house.auth.clone();
        async move { auth.token("ada", password(GOOD_PASSWORD), origin()).await }
    });
    house.store.wait_for_paused_load().await;
    let change = PasswordWrite::Change { keep: None, epoch };
    let (by, now) = (Actor::new(name("ada")), house.auth.0.clock.now());
    assert!(
        house
            .store
            .replace_password(&name("ada"), &old, new, change, by, now)
            .await
            .unwrap()
    );
    house.store.resume_loads();
    assert!(matches!(
        sign_in.await.unwrap(),
        Err(AuthError::InvalidCredentials)
    ));
    assert_eq!(house.store.live_session_count(), 0);
}

#[tokio::test]
async fn sign_out_invalidates_the_credentials_of_its_session() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, caller) = house.sign_in("ada").await;
    let ticket = house.auth.issue_ticket(&caller);
    let mut changes = house.auth.changes();
    changes.mark_unchanged();
    house.auth.sign_out(&caller).await.unwrap();
    assert!(changes.has_changed().unwrap());
    assert!(matches!(
        house.auth.revalidate(&caller).await,
        Err(AuthError::InvalidToken)
    ));
    assert!(matches!(
        house.auth.authenticate_bearer(access_token(&tokens)).await,
        Err(AuthError::InvalidToken)
    ));
    assert!(matches!(
        house.auth.authenticate_ticket(ticket.expose()).await,
        Err(AuthError::InvalidToken)
    ));
    let refreshed = house
        .auth
        .refresh(tokens.refresh_token.expose(), None, None, origin())
        .await;
    assert!(matches!(refreshed, Err(AuthError::InvalidGrant)));
}

#[tokio::test]
async fn ended_session_is_rejected_on_another_node() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, caller) = house.sign_in("ada").await;
    let other = open_node(&house.store, &house.clock, settings()).await;
    other
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    house.auth.sign_out(&caller).await.unwrap();
    let mut changes = other.changes();
    changes.mark_unchanged();
    other.apply_account_events().await.unwrap();
    assert!(changes.has_changed().unwrap());
    assert!(matches!(
        other.authenticate_bearer(access_token(&tokens)).await,
        Err(AuthError::InvalidToken)
    ));
    let restarted = open_node(&house.store, &house.clock, settings()).await;
    assert!(matches!(
        restarted.authenticate_bearer(access_token(&tokens)).await,
        Err(AuthError::InvalidToken)
    ));
}

#[tokio::test]
async fn background_task_applies_other_nodes_events_within_second() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, caller) = house.sign_in("ada").await;
    let other = open_node(&house.store, &house.clock, settings()).await;
    other
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    let following = tokio::spawn({
        let other = other.clone();
        async move { other.run_background_tasks().await }
    });
    let mut changes = other.changes();
    changes.mark_unchanged();
    house.auth.sign_out(&caller).await.unwrap();
    tokio::time::timeout(Duration::from_secs(1), changes.changed())
        .await
        .unwrap()
        .unwrap();
    assert!(
        other
            .authenticate_bearer(access_token(&tokens))
            .await
            .is_err()
    );
    following.abort();
}

#[tokio::test]
async fn cached_session_request_needs_no_store_read() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
    let before = house.store.query_count();
    for _ in 0..100 {
        house
            .auth
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
    }
    assert_eq!(house.store.query_count(), before);
    house.store.fail_queries();
    house
        .auth
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
}

#[tokio::test]
async fn parallel_requests_after_restart_load_session_once() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
    let restarted = open_node(&house.store, &house.clock, settings()).await;
    let before = house.store.query_count();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (auth, token) = (restarted.clone(), access_token(&tokens).to_owned());
        requests.spawn(async move { auth.authenticate_bearer(&token).await.map(drop) });
    }
    for answer in requests.join_all().await {
        answer.unwrap();
    }
    // Its session and its rights.
    assert_eq!(house.store.query_count() - before, 2);
}

#[tokio::test]
async fn ended_session_is_cached_as_ended() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, caller) = house.sign_in("ada").await;
    house.auth.sign_out(&caller).await.unwrap();
    assert!(
        house
            .auth
            .authenticate_bearer(access_token(&tokens))
            .await
            .is_err()
    );
    let before = house.store.query_count();
    assert!(
        house
            .auth
            .authenticate_bearer(access_token(&tokens))
            .await
            .is_err()
    );
    assert_eq!(house.store.query_count(), before);
}

#[tokio::test]
async fn session_load_racing_sign_out_is_not_cached() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, caller) = house.sign_in("ada").await;
    let restarted = open_node(&house.store, &house.clock, settings()).await;
    house.store.pause_loads();
    let slow = tokio::spawn({
        let (auth, token) = (restarted.clone(), access_token(&tokens).to_owned());
        async move { auth.authenticate_bearer(&token).await.map(drop) }
    });
    house.store.wait_for_paused_load().await;
    house.auth.sign_out(&caller).await.unwrap();
    restarted.apply_account_events().await.unwrap();
    house.store.resume_loads();
    // It began before the sign-out and may be answered either way; nobody after it may be let in.
    let _ = slow.await.unwrap();
    assert!(matches!(
        restarted.authenticate_bearer(access_token(&tokens)).await,
        Err(AuthError::InvalidToken)
    ));
}

#[tokio::test]
async fn session_ends_at_idle_and_absolute_timeout() {
    let house = test_auth().await;
    house.register("ada").await;
    let SignedIn { secret, .. } = house
        .auth
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    for _ in 0..15 {
        house.clock.advance(Duration::from_hours(11));
        assert_eq!(
            house
                .auth
                .authenticate_cookie(secret.expose())
                .await
                .unwrap()
                .via(),
            AuthVia::Cookie
        );
    }
    house.clock.advance(Duration::from_hours(3));
    assert!(matches!(
        house.auth.authenticate_cookie(secret.expose()).await,
        Err(AuthError::InvalidToken)
    ));

    let SignedIn { secret, .. } = house
        .auth
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    house.clock.advance(Duration::from_hours(12));
    assert!(matches!(
        house.auth.authenticate_cookie(secret.expose()).await,
        Err(AuthError::InvalidToken)
    ));
}

#[tokio::test]
async fn session_activity_is_stored_every_five_minutes() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
    for _ in 0..29 {
        house.clock.advance(Duration::from_mins(1));
        house
            .auth
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
        tokio::task::yield_now().await;
    }
    assert!(
        (4..=6).contains(&house.store.touch_count()),
        "{}",
        house.store.touch_count()
    );
}

#[tokio::test]
async fn ticket_works_once_within_thirty_seconds() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, caller) = house.sign_in("ada").await;
    let ticket = house.auth.issue_ticket(&caller);
    assert_eq!(
        house
            .auth
            .authenticate_ticket(ticket.expose())
            .await
            .unwrap()
            .via(),
        AuthVia::Ticket
    );
    assert!(matches!(
        house.auth.authenticate_ticket(ticket.expose()).await,
        Err(AuthError::InvalidToken)
    ));
    let late = house.auth.issue_ticket(&caller);
    house.clock.advance(Duration::from_secs(30));
    assert!(matches!(
        house.auth.authenticate_ticket(late.expose()).await,
        Err(AuthError::InvalidToken)
    ));
}

#[tokio::test]
async fn credential_of_one_kind_is_rejected_as_another() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, caller) = house.sign_in("ada").await;
    let web = house
        .auth
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap()
        .secret;
    let ticket = house.auth.issue_ticket(&caller);
    let keys = [
        access_token(&tokens),
        tokens.refresh_token.expose(),
        web.expose(),
        ticket.expose(),
    ];
    for (n, key) in keys.into_iter().enumerate() {
        assert_eq!(
            house.auth.authenticate_bearer(key).await.is_ok(),
            n == 0,
            "{n}"
        );
        assert_eq!(
            house.auth.refresh(key, None, None, origin()).await.is_ok(),
            n == 1,
            "{n}"
        );
        assert_eq!(
            house.auth.authenticate_cookie(key).await.is_ok(),
            n == 2,
            "{n}"
        );
        assert_eq!(
            house.auth.authenticate_ticket(key).await.is_ok(),
            n == 3,
            "{n}"
        );
    }
}
