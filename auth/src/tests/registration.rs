//! Registration, and the setup of the first administrator.

use std::time::Duration;

use super::*;
use crate::{
    access::permit::Administrator,
    error::{AccountError, ThrottleError},
    password::PasswordRejected,
};

#[tokio::test]
async fn registered_account_is_editor_of_main_only() {
    let test = test_auth().await;
    let account = test.register("ada").await;
    assert!(!account.administrator);
    let (_, caller) = test.sign_in("ada").await;
    assert_eq!(caller.role_in(&realm("main").id), Some(Role::Editor));
    assert_eq!(caller.role_in(&realm("attic").id), None);
    assert_eq!(
        test.auth.sessions().realms_of(&caller).await.unwrap(),
        [(realm("main"), Role::Editor)]
    );
    assert_eq!(test.store.actors()[0].username, name("ada"));
}

#[tokio::test]
async fn taken_or_reserved_username_cannot_register() {
    let test = test_auth().await;
    test.register("ada").await;
    let again = test
        .auth
        .accounts()
        .register(registration_request("ADA"), &origin())
        .await;
    assert!(matches!(
        again,
        Err(AuthError::Account(AccountError::UsernameTaken))
    ));
    let console = test
        .auth
        .accounts()
        .register(registration_request("console"), &origin())
        .await;
    assert!(matches!(
        console,
        Err(AuthError::Account(AccountError::UsernameTaken))
    ));
}

#[tokio::test]
async fn closed_registration_leaves_account_creation_to_console() {
    for registration in [Registration::Closed, Registration::Invite] {
        let test = test_auth_with(Settings {
            registration,
            ..settings()
        })
        .await;
        let refused = test
            .auth
            .accounts()
            .register(registration_request("ada"), &origin())
            .await;
        assert!(matches!(
            refused,
            Err(AuthError::Account(
                AccountError::RegistrationClosed | AccountError::InvitationRequired
            ))
        ));
        assert!(
            !test
                .auth
                .accounts()
                .add_account(registration_request("ada"), None)
                .await
                .unwrap()
                .administrator
        );
        assert!(
            test.auth
                .accounts()
                .add_account(registration_request("root"), Some(Administrator))
                .await
                .unwrap()
                .administrator
        );
        assert_eq!(test.store.actors()[0].username.as_str(), "console");
    }
}

#[tokio::test]
async fn registration_with_weak_password_fails_before_hashing() {
    let test = test_auth().await;
    let weak = RegistrationRequest {
        password: password("short"),
        ..registration_request("ada")
    };
    let refused = test.auth.accounts().register(weak, &origin()).await;
    assert!(matches!(
        refused,
        Err(AuthError::Account(AccountError::PasswordRejected(
            PasswordRejected::TooShort { .. }
        )))
    ));
    assert_eq!(test.auth.0.hasher.started(), 0);
}

#[tokio::test]
async fn setup_link_creates_one_administrator_once() {
    let test = test_auth().await;
    let token = test.auth.accounts().setup_token().await.unwrap().unwrap();
    assert!(test.auth.accounts().is_setup_token_valid(token.expose()));
    assert!(!test.auth.accounts().is_setup_token_valid("sr_first_guess"));
    let made = test
        .auth
        .accounts()
        .create_first_administrator(token.expose(), registration_request("root"), &origin())
        .await
        .unwrap();
    assert!(made.administrator);
    assert!(!test.auth.accounts().is_setup_token_valid(token.expose()));
    let again = test
        .auth
        .accounts()
        .create_first_administrator(token.expose(), registration_request("eve"), &origin())
        .await;
    assert!(matches!(
        again,
        Err(AuthError::Account(AccountError::SetupLinkInvalid))
    ));
    assert!(test.auth.accounts().setup_token().await.unwrap().is_none());
}

#[tokio::test]
async fn parallel_setup_link_uses_create_one_administrator() {
    let test = test_auth().await;
    let token = test.auth.accounts().setup_token().await.unwrap().unwrap();
    let from = origin();
    let (one, other) = tokio::join!(
        test.auth.accounts().create_first_administrator(
            token.expose(),
            registration_request("root"),
            &from
        ),
        test.auth.accounts().create_first_administrator(
            token.expose(),
            registration_request("eve"),
            &from
        ),
    );
    assert!(
        matches!(
            (&one, &other),
            (
                Ok(_),
                Err(AuthError::Account(AccountError::SetupLinkInvalid))
            ) | (
                Err(AuthError::Account(AccountError::SetupLinkInvalid)),
                Ok(_)
            )
        ),
        "{one:?} {other:?}"
    );
}

#[tokio::test]
async fn setup_link_expires_after_30_minutes_or_successor() {
    let test = test_auth().await;
    let first = test.auth.accounts().setup_token().await.unwrap().unwrap();
    let second = test.auth.accounts().setup_token().await.unwrap().unwrap();
    assert!(!test.auth.accounts().is_setup_token_valid(first.expose()));
    test.clock
        .advance(Duration::from_mins(30) - Duration::from_secs(1));
    assert!(test.auth.accounts().is_setup_token_valid(second.expose()));
    test.clock.advance(Duration::from_secs(1));
    let late = test
        .auth
        .accounts()
        .create_first_administrator(second.expose(), registration_request("root"), &origin())
        .await;
    assert!(matches!(
        late,
        Err(AuthError::Account(AccountError::SetupLinkInvalid))
    ));

    let test = test_auth().await;
    let token = test.auth.accounts().setup_token().await.unwrap().unwrap();
    test.clock
        .advance(Duration::from_mins(30) - Duration::from_secs(1));
    test.auth
        .accounts()
        .create_first_administrator(token.expose(), registration_request("root"), &origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn setup_link_survives_a_rejected_password() {
    let test = test_auth().await;
    let token = test.auth.accounts().setup_token().await.unwrap().unwrap();
    let weak = RegistrationRequest {
        password: password("short"),
        ..registration_request("root")
    };
    let refused = test
        .auth
        .accounts()
        .create_first_administrator(token.expose(), weak, &origin())
        .await;
    assert!(matches!(
        refused,
        Err(AuthError::Account(AccountError::PasswordRejected(
            PasswordRejected::TooShort { .. }
        )))
    ));
    test.auth
        .accounts()
        .create_first_administrator(token.expose(), registration_request("root"), &origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn eight_character_password_needs_second_factor_for_all() {
    use crate::factor::{FactorRequirement, FactorRules};
    let short = |name: &str| RegistrationRequest {
        password: password("xK7vq2Wz"),
        ..registration_request(name)
    };
    for (required, suffices) in [
        (FactorRequirement::Optional, false),
        (FactorRequirement::Administrators, false),
        (FactorRequirement::All, true),
    ] {
        let factors = FactorRules {
            required,
            ..FactorRules::default()
        };
        let test = test_auth_with(Settings {
            factors,
            ..settings()
        })
        .await;
        let registered = test.auth.accounts().register(short("ada"), &origin()).await;
        let is_expected = match registered {
            Ok(_) => suffices,
            Err(AuthError::Account(AccountError::PasswordRejected(
                PasswordRejected::TooShort { .. },
            ))) => !suffices,
            Err(_) => false,
        };
        assert!(is_expected, "{required:?}: {registered:?}");
    }
}

#[tokio::test]
async fn registration_throttles_username_probing_without_hashing() {
    let test = test_auth().await;
    test.register("ada").await;
    let hashes = test.auth.0.hasher.started();
    let mut taken = 0;
    let refused = loop {
        match test
            .auth
            .accounts()
            .register(registration_request("ada"), &origin())
            .await
        {
            Err(AuthError::Account(AccountError::UsernameTaken)) if taken < 200 => taken += 1,
            other => break other,
        }
    };
    assert!(
        matches!(
            refused,
            Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
        ),
        "{refused:?}"
    );
    assert_eq!((taken, test.auth.0.hasher.started()), (99, hashes));
}

#[tokio::test]
async fn registration_throttles_rejected_passwords() {
    let test = test_auth().await;
    let weak = || RegistrationRequest {
        password: password("password"),
        ..registration_request("ada")
    };
    for n in 0..100 {
        let rejected = test.auth.accounts().register(weak(), &origin()).await;
        assert!(
            matches!(
                rejected,
                Err(AuthError::Account(AccountError::PasswordRejected(_)))
            ),
            "{n}: {rejected:?}"
        );
    }
    let denied = test.auth.accounts().register(weak(), &origin()).await;
    assert!(
        matches!(
            denied,
            Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
        ),
        "{denied:?}"
    );
}

#[tokio::test]
async fn password_strength_check_waits_for_free_core() {
    let test = test_auth().await;
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let (started, mut is_started) = tokio::sync::mpsc::unbounded_channel();
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut jobs = tokio::task::JoinSet::new();
    for _ in 0..cores {
        let (auth, released, started) = (test.auth.clone(), released.clone(), started.clone());
        let job = move || {
            started.send(()).unwrap();
            released.lock().unwrap().recv().is_err()
        };
        jobs.spawn(async move { auth.0.hasher.run_on_pool(job).await });
    }
    for _ in 0..cores {
        is_started.recv().await.unwrap();
    }
    let evaluate = async || {
        test.auth
            .passwords()
            .evaluate_new(
                password(GOOD_PASSWORD),
                crate::password::UserInputs::default(),
            )
            .await
    };
    // The wait for a core ends at once in paused time.
    tokio::time::pause();
    let refused = evaluate().await;
    assert!(
        matches!(
            refused,
            Err(AuthError::Throttle(ThrottleError::HasherBusy { .. }))
        ),
        "{refused:?}"
    );
    tokio::time::resume();
    drop(release);
    for finished in jobs.join_all().await {
        assert!(finished.unwrap());
    }
    evaluate().await.unwrap();
}
