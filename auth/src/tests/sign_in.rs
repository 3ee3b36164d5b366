//! Sign-in, and how fast the end of a session takes effect.

use crate::error::{AccessError, AccountError, KeyError, SignInError, TokenError};
use std::time::Duration;

use secrecy::SecretString;

use super::*;
use crate::{
    AccountChange, AccountStatus, Actor, AuthStore as _, Delivery, NewInvitation, NewPersonalToken,
    Scope, Scopes, SessionKind, Token, TokenKind,
    access::policy::AuthVia,
    session::{create::SignedIn, mfa_challenge::SignInOutcome},
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

#[tokio::test]
async fn sign_out_invalidates_the_credentials_of_its_session() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let ticket = test.auth.sessions().issue_ticket(&caller);
    let mut changes = test.auth.changes();
    changes.mark_unchanged();
    test.auth.sessions().sign_out(&caller).await.unwrap();
    assert!(changes.has_changed().unwrap());
    assert!(matches!(
        test.auth.sessions().revalidate(&caller).await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_ticket(ticket.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let refreshed = test
        .auth
        .oauth()
        .refresh(tokens.refresh_token.expose(), None, None, origin())
        .await;
    assert!(matches!(
        refreshed,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
}

#[tokio::test]
async fn ended_session_is_rejected_on_another_node() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let other = open_node(&test.store, &test.clock, settings()).await;
    other
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    test.auth.sessions().sign_out(&caller).await.unwrap();
    let mut changes = other.changes();
    changes.mark_unchanged();
    other.background().apply_account_events().await.unwrap();
    assert!(changes.has_changed().unwrap());
    assert!(matches!(
        other
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let restarted = open_node(&test.store, &test.clock, settings()).await;
    assert!(matches!(
        restarted
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn background_task_applies_other_nodes_events_within_second() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let other = open_node(&test.store, &test.clock, settings()).await;
    other
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    tokio::time::pause();
    let background = tokio::spawn({
        let other = other.clone();
        async move { other.background().run_background_tasks().await }
    });
    let mut changes = other.changes();
    changes.mark_unchanged();
    test.auth.sessions().sign_out(&caller).await.unwrap();
    tokio::time::timeout(Duration::from_secs(1), changes.changed())
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(
        other
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(!background.is_finished());
    background.abort();
}

#[tokio::test]
async fn cached_session_request_needs_no_store_read() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    let before = test.store.query_count();
    for _ in 0..100 {
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
    }
    assert_eq!(test.store.query_count(), before);
    test.store.fail_queries();
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
}

#[tokio::test]
async fn parallel_requests_after_restart_load_session_once() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    let restarted = open_node(&test.store, &test.clock, settings()).await;
    let before = test.store.query_count();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (auth, token) = (restarted.clone(), access_token(&tokens).to_owned());
        requests.spawn(async move { auth.sessions().authenticate_bearer(&token).await.map(drop) });
    }
    for answer in requests.join_all().await {
        answer.unwrap();
    }
    // One query loads the session, one its rights.
    assert_eq!(test.store.query_count() - before, 2);
}

#[tokio::test]
async fn ended_session_is_cached_as_ended() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    test.auth.sessions().sign_out(&caller).await.unwrap();
    let asked = async || {
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
    };
    assert!(matches!(
        asked().await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let before = test.store.query_count();
    assert!(matches!(
        asked().await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert_eq!(test.store.query_count(), before);
}

#[tokio::test]
async fn session_load_racing_sign_out_is_not_cached() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let restarted = open_node(&test.store, &test.clock, settings()).await;
    test.store.pause_loads();
    let slow = tokio::spawn({
        let (auth, token) = (restarted.clone(), access_token(&tokens).to_owned());
        async move { auth.sessions().authenticate_bearer(&token).await.map(drop) }
    });
    test.store.wait_for_paused_load().await;
    test.auth.sessions().sign_out(&caller).await.unwrap();
    restarted.background().apply_account_events().await.unwrap();
    test.store.resume_loads();
    // This request began before the sign-out: either result is valid. Later requests fail.
    let slow = slow.await.unwrap();
    assert!(
        matches!(
            slow,
            Ok(()) | Err(AuthError::Access(AccessError::InvalidToken))
        ),
        "{slow:?}"
    );
    assert!(matches!(
        restarted
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn session_ends_at_idle_and_absolute_timeout() {
    let test = test_auth().await;
    test.register("ada").await;
    let SignedIn { secret, .. } = test
        .auth
        .passwords()
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    for _ in 0..15 {
        test.clock.advance(Duration::from_hours(11));
        assert_eq!(
            test.auth
                .sessions()
                .authenticate_cookie(secret.expose())
                .await
                .unwrap()
                .via(),
            AuthVia::Cookie
        );
    }
    test.clock.advance(Duration::from_hours(3));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_cookie(secret.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));

    let SignedIn { secret, .. } = test
        .auth
        .passwords()
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    test.clock.advance(Duration::from_hours(12));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_cookie(secret.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

#[tokio::test]
async fn session_activity_is_stored_every_five_minutes() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    for _ in 0..29 {
        test.clock.advance(Duration::from_mins(1));
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
        tokio::task::yield_now().await;
    }
    // More than five minutes must pass: stored in minutes 6, 12, 18 and 24.
    assert_eq!(test.store.touch_count(), 4);
}

#[tokio::test]
async fn ticket_works_once_within_thirty_seconds() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    let ticket = test.auth.sessions().issue_ticket(&caller);
    assert_eq!(
        test.auth
            .sessions()
            .authenticate_ticket(ticket.expose())
            .await
            .unwrap()
            .via(),
        AuthVia::Ticket
    );
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_ticket(ticket.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let [fresh, late] = [(); 2].map(|()| test.auth.sessions().issue_ticket(&caller));
    test.clock.advance(Duration::from_secs(29));
    test.auth
        .sessions()
        .authenticate_ticket(fresh.expose())
        .await
        .unwrap();
    test.clock.advance(Duration::from_secs(1));
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_ticket(late.expose())
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
}

/// The doors that take a credential of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
enum CredentialDoor {
    Bearer,
    Cookie,
    Ticket,
    Personal,
    Refresh,
    SecondFactor,
    Reset,
    Invitation,
}

impl CredentialDoor {
    /// The ones that consume their credential, or end sessions, come last.
    const ALL: [Self; 8] = [
        Self::Bearer,
        Self::Cookie,
        Self::Ticket,
        Self::Personal,
        Self::Refresh,
        Self::SecondFactor,
        Self::Invitation,
        Self::Reset,
    ];

    async fn open(self, test: &TestAuth, secret: &str) -> Result<(), AuthError> {
        let (auth, from) = (&test.auth, origin());
        match self {
            Self::Bearer => auth.sessions().authenticate_bearer(secret).await.map(drop),
            Self::Cookie => auth.sessions().authenticate_cookie(secret).await.map(drop),
            Self::Ticket => auth.sessions().authenticate_ticket(secret).await.map(drop),
            Self::Personal => auth
                .personal_tokens()
                .authenticate_personal_token(secret, None, &from)
                .await
                .map(drop),
            Self::Refresh => auth
                .oauth()
                .refresh(secret, None, None, from)
                .await
                .map(drop),
            Self::SecondFactor => auth.factors().pending_sign_in(secret).await.map(drop),
            Self::Reset => {
                auth.passwords()
                    .reset_password(secret, password("seven copper kettles sing"), &from)
                    .await
            }
            Self::Invitation => auth
                .invitations()
                .preview_invitation(secret, &from)
                .await
                .map(drop),
        }
    }

    fn is_its_refusal(self, error: &AuthError) -> bool {
        match self {
            Self::Bearer | Self::Cookie | Self::Ticket | Self::Personal => {
                matches!(error, AuthError::Access(AccessError::InvalidToken))
            }
            Self::Refresh => matches!(error, AuthError::Token(TokenError::InvalidGrant)),
            Self::SecondFactor => matches!(error, AuthError::SignIn(SignInError::SignInExpired)),
            Self::Reset => matches!(error, AuthError::Account(AccountError::ResetLinkInvalid)),
            Self::Invitation => {
                matches!(error, AuthError::Account(AccountError::InvitationInvalid))
            }
        }
    }
}

/// A valid credential of each kind, with the one door that takes it.
async fn valid_credentials(test: &TestAuth) -> Vec<(Option<CredentialDoor>, String)> {
    let root = test.administrator("root").await;
    test.register("ada").await;
    test.register("bob").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let device = Token::random(TokenKind::KnownDevice, &SecureRandom::system());
    let from = Origin {
        device: Some(device.hash()),
        ..origin()
    };
    let web = test
        .auth
        .passwords()
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, from)
        .await
        .unwrap();
    let request = NewPersonalToken {
        label: "script".to_owned(),
        scopes: Scopes::of(&[Scope::ReadFiles]),
        realms: None,
        lifetime: None,
    };
    let (_, personal) = test
        .auth
        .personal_tokens()
        .create_personal_token(&caller, request, origin())
        .await
        .unwrap();
    test.store.enroll_totp("bob");
    let pending = test
        .auth
        .passwords()
        .sign_in_on_page("bob", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    let SignInOutcome::MfaRequired(pending) = pending else {
        panic!("bob has a second factor")
    };
    let codes = test
        .auth
        .oauth()
        .device_authorization(None, None, origin())
        .await
        .unwrap();
    let reset = test
        .auth
        .passwords()
        .reset_link(&root.permit(None).unwrap(), &name("ada"))
        .await
        .unwrap();
    let invitation = NewInvitation {
        administrator: false,
        roles: vec![(realm("main"), Role::Viewer)],
        email: None,
        delivery: Delivery::Link,
    };
    let invited = test
        .auth
        .invitations()
        .invite(&root, invitation)
        .await
        .unwrap();
    let in_link = |link: &SecretString| link.expose_secret().split_once('#').unwrap().1.to_owned();
    let ticket = test.auth.sessions().issue_ticket(&caller);
    let exposed = |token: &Token| token.expose().to_owned();
    vec![
        (
            Some(CredentialDoor::Bearer),
            access_token(&tokens).to_owned(),
        ),
        (Some(CredentialDoor::Cookie), exposed(&web.secret)),
        (Some(CredentialDoor::Ticket), exposed(&ticket)),
        (Some(CredentialDoor::Personal), exposed(&personal)),
        (
            Some(CredentialDoor::Refresh),
            exposed(&tokens.refresh_token),
        ),
        (Some(CredentialDoor::SecondFactor), exposed(&pending.token)),
        (
            Some(CredentialDoor::Invitation),
            in_link(&invited.link.unwrap()),
        ),
        (Some(CredentialDoor::Reset), in_link(&reset.link)),
        // These two open no door of this list.
        (None, exposed(&device)),
        (None, exposed(&codes.device_code)),
    ]
}

#[tokio::test]
async fn credential_of_one_kind_is_rejected_as_another() {
    let test = test_auth().await;
    let credentials = valid_credentials(&test).await;
    for door in CredentialDoor::ALL {
        for (n, (own, secret)) in credentials.iter().enumerate() {
            if *own == Some(door) {
                continue;
            }
            let error = door.open(&test, secret).await.unwrap_err();
            assert!(door.is_its_refusal(&error), "{door:?} {n}: {error}");
        }
    }
    let own_doors = credentials
        .iter()
        .filter_map(|(own, secret)| own.map(|door| (door, secret)));
    for (door, secret) in own_doors {
        door.open(&test, secret).await.unwrap();
    }
}
