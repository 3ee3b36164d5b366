//! Sign-in with a password: uniform failures, hash profiles and rehashing.

use std::time::Duration;

use super::*;
use crate::{
    AccountChange, AccountStatus, Actor, AuthStore as _,
    error::{KeyError, SignInError},
    store::PasswordWrite,
};

#[tokio::test]
async fn failed_sign_ins_are_indistinguishable_and_hash_once() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    test.register("bob").await;
    let disabled = AccountChange {
        status: Some(AccountStatus::Disabled),
        ..AccountChange::default()
    };
    test.auth
        .admin()
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
        let before = test.auth.0.hasher.started();
        let error = test.password_grant(username, raw).await.unwrap_err();
        assert!(
            matches!(error, AuthError::SignIn(SignInError::InvalidCredentials)),
            "{username}: {error}"
        );
        assert_eq!(error.to_string(), "Incorrect username or password");
        assert_eq!(test.auth.0.hasher.started() - before, 1, "{username}");
    }
}

/// The bcrypt costs are the lowest, for speed.
#[tokio::test]
async fn failed_sign_in_runs_each_hash_profile_once() {
    let test = test_auth().await;
    test.register("ada").await;
    test.import_account("bob", &bcrypt::hash("short", 4).unwrap())
        .await;
    test.import_account("cy", &bcrypt::hash("short", 5).unwrap())
        .await;
    let hashes_if_wrong = async |username: &str| {
        let before = test.auth.0.hasher.started();
        let refused = test.password_grant(username, "wrong password here").await;
        assert!(
            matches!(
                refused,
                Err(AuthError::SignIn(SignInError::InvalidCredentials))
            ),
            "{username}: {refused:?}"
        );
        test.auth.0.hasher.started() - before
    };
    let hashes_if_right = async |username: &str, raw: &str| {
        let before = test.auth.0.hasher.started();
        test.password_grant(username, raw).await.unwrap();
        test.auth.0.hasher.started() - before
    };
    for username in ["ada", "bob", "cy", "nobody", "<a b>"] {
        assert_eq!(hashes_if_wrong(username).await, 3, "{username}");
    }
    // A correct password costs one hash of its own profile, and one more to rehash it.
    assert_eq!(hashes_if_right("ada", GOOD_PASSWORD).await, 1);
    assert_eq!(hashes_if_right("bob", "short").await, 2);
    test.auth
        .background()
        .refresh_hash_profiles()
        .await
        .unwrap();
    assert_eq!(hashes_if_wrong("nobody").await, 2);
    assert_eq!(hashes_if_right("cy", "short").await, 2);
    test.auth
        .background()
        .refresh_hash_profiles()
        .await
        .unwrap();
    for username in ["ada", "bob", "cy", "nobody"] {
        assert_eq!(hashes_if_wrong(username).await, 1, "{username}");
    }
}

#[tokio::test]
async fn hash_profile_from_another_process_is_discovered() {
    let test = test_auth().await;
    let other = open_node(&test.store, &test.clock, settings()).await;
    let hash = PasswordHash::import(&bcrypt::hash("short", 4).unwrap()).unwrap();
    other
        .accounts()
        .import_account(ImportedAccount {
            username: name("bob"),
            password: hash,
            administrator: false,
        })
        .await
        .unwrap();
    let made_for = async |auth: &Auth<MemoryStore>, username: &str| {
        let before = auth.0.hasher.started();
        let refused = auth
            .oauth()
            .token(username, password("wrong password here"), origin())
            .await;
        assert!(
            matches!(
                refused,
                Err(AuthError::SignIn(SignInError::InvalidCredentials))
            ),
            "{username}: {refused:?}"
        );
        auth.0.hasher.started() - before
    };
    assert_eq!(made_for(&test.auth, "nobody").await, 1);
    assert_eq!(made_for(&test.auth, "bob").await, 2);
    assert_eq!(made_for(&test.auth, "nobody").await, 2);
    let restarted = open_node(&test.store, &test.clock, settings()).await;
    assert_eq!(made_for(&restarted, "nobody").await, 2);
}

#[tokio::test]
async fn sign_in_attempts_are_audited_without_unknown_usernames() {
    let test = test_auth().await;
    test.register("ada").await;
    for (username, raw) in [
        ("ada\0\n", GOOD_PASSWORD),
        // A password in the username field.
        ("correct-horse-battery", GOOD_PASSWORD),
        ("ada", "not the password at all"),
    ] {
        let refused = test.password_grant(username, raw).await;
        assert!(
            matches!(
                refused,
                Err(AuthError::SignIn(SignInError::InvalidCredentials))
            ),
            "{username:?}: {refused:?}"
        );
    }
    test.password_grant("Ada", GOOD_PASSWORD).await.unwrap();
    let expected = ["", "", "ada"].map(|name| (name.to_owned(), "sign_in.refused"));
    let actions = test.store.audit_actions();
    assert_eq!(actions[..3], expected);
    assert_eq!(actions[3..], [("ada".to_owned(), "sign_in")]);
}

#[tokio::test]
async fn imported_bcrypt_hash_is_rehashed_at_sign_in() {
    let test = test_auth().await;
    test.import_account("ada", &bcrypt::hash("short", 4).unwrap())
        .await;
    test.password_grant("ada", "short").await.unwrap();
    assert!(test.store.password_hash("ada").contains("$argon2id$"));
    test.password_grant("ada", "short").await.unwrap();
    assert!(matches!(
        test.password_grant("ada", "shorter").await,
        Err(AuthError::SignIn(SignInError::InvalidCredentials))
    ));
}

#[tokio::test]
async fn imported_bcrypt_hash_over_72_bytes_never_verifies() {
    let test = test_auth().await;
    let long = "0123456789".repeat(8);
    test.import_account("ada", &bcrypt::hash(&long, 4).unwrap())
        .await;
    for raw in [long.clone(), long[..72].to_owned() + "something else"] {
        assert!(
            matches!(
                test.password_grant("ada", &raw).await,
                Err(AuthError::SignIn(SignInError::InvalidCredentials))
            ),
            "{raw}"
        );
    }
    assert!(test.store.password_hash("ada").starts_with("$2b$"));
}

/// ASVS 5.0 §6.2.10.
#[tokio::test]
async fn password_does_not_expire_after_two_years() {
    let test = test_auth().await;
    test.register("ada").await;
    let hash = test.store.password_hash("ada");
    test.clock.advance(2 * Duration::from_hours(365 * 24));
    let (_, caller) = test.sign_in("ada").await;
    assert!(!caller.account().must_change_password);
    test.auth.sessions().sessions(&caller).await.unwrap();
    assert_eq!(test.store.password_hash("ada"), hash);
}

#[tokio::test]
async fn database_dump_without_pepper_verifies_no_password() {
    let test = test_auth().await;
    test.register("ada").await;
    test.password_grant("ada", GOOD_PASSWORD).await.unwrap();
    let thief = MasterKey::parse("Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd").unwrap();
    let open = |key| {
        Auth::open(
            test.store.clone(),
            settings(),
            key,
            test.auth.0.core.clock.clone(),
            SecureRandom::system(),
        )
    };
    assert!(matches!(
        open(thief).await,
        Err(AuthError::Key(KeyError::MasterKeyMismatch))
    ));
    // Write access to the database can delete the key ring, so that another master key signs
    // tokens. It still verifies no password.
    test.store.delete_key_ring();
    let thief = MasterKey::parse("Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd").unwrap();
    let stolen = open(thief).await.unwrap();
    assert!(matches!(
        stolen
            .oauth()
            .token("ada", password(GOOD_PASSWORD), origin())
            .await,
        Err(AuthError::SignIn(SignInError::InvalidCredentials))
    ));
}

#[tokio::test]
async fn parallel_sign_ins_of_imported_account_succeed() {
    let test = test_auth().await;
    test.import_account("ada", &bcrypt::hash("short", 4).unwrap())
        .await;
    let (a, b, c) = tokio::join!(
        test.password_grant("ada", "short"),
        test.password_grant("ada", "short"),
        test.password_grant("ada", "short")
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
}

#[tokio::test]
async fn password_changed_during_sign_in_opens_no_session() {
    let test = test_auth().await;
    test.register("ada").await;
    let epoch = test
        .store
        .credentials(&name("ada"))
        .await
        .unwrap()
        .unwrap()
        .account
        .epoch;
    let old = PasswordHash::from_stored(&test.store.password_hash("ada"));
    let new = test
        .auth
        .0
        .hasher
        .hash(&Arc::new(password("a different long password")))
        .await
        .unwrap();
    test.store.pause_loads();
    let sign_in = tokio::spawn({
        let auth = test.auth.clone();
        async move {
            auth.oauth()
                .token("ada", password(GOOD_PASSWORD), origin())
                .await
        }
    });
    test.store.wait_for_paused_load().await;
    let change = PasswordWrite::Change { keep: None, epoch };
    let (by, now) = (Actor::new(name("ada")), test.auth.0.core.clock.now());
    assert!(
        test.store
            .replace_password(&name("ada"), &old, new, change, by, now)
            .await
            .unwrap()
    );
    test.store.resume_loads();
    assert!(matches!(
        sign_in.await.unwrap(),
        Err(AuthError::SignIn(SignInError::InvalidCredentials))
    ));
    assert_eq!(test.store.live_session_count(), 0);
}
