//! How accounts come to be.

use std::time::Duration;

use super::*;
use crate::{access::permit::Administrator, password::PasswordRejected};

#[tokio::test]
async fn registered_account_is_editor_of_main_only() {
    let house = test_auth().await;
    let account = house.register("ada").await;
    assert!(!account.administrator);
    let (_, caller) = house.sign_in("ada").await;
    assert_eq!(caller.role_in(&realm("main").id), Some(Role::Editor));
    assert_eq!(caller.role_in(&realm("attic").id), None);
    assert_eq!(
        house.auth.realms_of(&caller).await.unwrap(),
        [(realm("main"), Role::Editor)]
    );
    assert_eq!(house.store.actors()[0].username, name("ada"));
}

#[tokio::test]
async fn taken_or_reserved_username_cannot_register() {
    let house = test_auth().await;
    house.register("ada").await;
    let again = house
        .auth
        .register(registration_request("ADA"), &origin())
        .await;
    assert!(matches!(again, Err(AuthError::UsernameTaken)));
    let console = house
        .auth
        .register(registration_request("console"), &origin())
        .await;
    assert!(matches!(console, Err(AuthError::UsernameTaken)));
}

#[tokio::test]
async fn closed_registration_leaves_account_creation_to_console() {
    for registration in [Registration::Closed, Registration::Invite] {
        let house = test_auth_with(Settings {
            registration,
            ..settings()
        })
        .await;
        let refused = house
            .auth
            .register(registration_request("ada"), &origin())
            .await;
        assert!(matches!(
            refused,
            Err(AuthError::RegistrationClosed | AuthError::InvitationRequired)
        ));
        assert!(
            !house
                .auth
                .add_account(registration_request("ada"), None)
                .await
                .unwrap()
                .administrator
        );
        assert!(
            house
                .auth
                .add_account(registration_request("root"), Some(Administrator))
                .await
                .unwrap()
                .administrator
        );
        assert_eq!(house.store.actors()[0].username.as_str(), "console");
    }
}

#[tokio::test]
async fn registration_with_weak_password_fails_before_hashing() {
    let house = test_auth().await;
    let weak = RegistrationRequest {
        password: password("short"),
        ..registration_request("ada")
    };
    let refused = house.auth.register(weak, &origin()).await;
    assert!(matches!(
        refused,
        Err(AuthError::PasswordRejected(
            PasswordRejected::TooShort { .. }
        ))
    ));
    assert_eq!(house.auth.0.hasher.started(), 0);
}

#[tokio::test]
async fn setup_link_creates_one_administrator_once() {
    let house = test_auth().await;
    let token = house.auth.setup_token().await.unwrap().unwrap();
    assert!(house.auth.is_setup_token_valid(token.expose()));
    assert!(!house.auth.is_setup_token_valid("sr_first_guess"));
    let made = house
        .auth
        .create_first_administrator(token.expose(), registration_request("root"), &origin())
        .await
        .unwrap();
    assert!(made.administrator);
    assert!(!house.auth.is_setup_token_valid(token.expose()));
    let again = house
        .auth
        .create_first_administrator(token.expose(), registration_request("eve"), &origin())
        .await;
    assert!(matches!(again, Err(AuthError::SetupLinkInvalid)));
    assert!(house.auth.setup_token().await.unwrap().is_none());
}

#[tokio::test]
async fn parallel_setup_link_uses_create_one_administrator() {
    let house = test_auth().await;
    let token = house.auth.setup_token().await.unwrap().unwrap();
    let from = origin();
    let (one, other) = tokio::join!(
        house
            .auth
            .create_first_administrator(token.expose(), registration_request("root"), &from),
        house
            .auth
            .create_first_administrator(token.expose(), registration_request("eve"), &from),
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
}

#[tokio::test]
async fn setup_link_expires_after_30_minutes_or_successor() {
    let house = test_auth().await;
    let first = house.auth.setup_token().await.unwrap().unwrap();
    let second = house.auth.setup_token().await.unwrap().unwrap();
    assert!(!house.auth.is_setup_token_valid(first.expose()));
    house.clock.advance(Duration::from_mins(30));
    let late = house
        .auth
        .create_first_administrator(second.expose(), registration_request("root"), &origin())
        .await;
    assert!(matches!(late, Err(AuthError::SetupLinkInvalid)));
}

#[tokio::test]
async fn setup_link_survives_a_rejected_password() {
    let house = test_auth().await;
    let token = house.auth.setup_token().await.unwrap().unwrap();
    let weak = RegistrationRequest {
        password: password("short"),
        ..registration_request("root")
    };
    assert!(
        house
            .auth
            .create_first_administrator(token.expose(), weak, &origin())
            .await
            .is_err()
    );
    house
        .auth
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
    for (required, fits) in [
        (FactorRequirement::Optional, false),
        (FactorRequirement::Administrators, false),
        (FactorRequirement::All, true),
    ] {
        let factors = FactorRules {
            required,
            ..FactorRules::default()
        };
        let house = test_auth_with(Settings {
            factors,
            ..settings()
        })
        .await;
        let registered = house.auth.register(short("ada"), &origin()).await;
        assert_eq!(registered.is_ok(), fits, "{required:?}: {registered:?}");
    }
}

#[tokio::test]
async fn registration_throttles_username_probing_without_hashing() {
    let house = test_auth().await;
    house.register("ada").await;
    let hashes = house.auth.0.hasher.started();
    let mut told = 0;
    let refused = loop {
        match house
            .auth
            .register(registration_request("ada"), &origin())
            .await
        {
            Err(AuthError::UsernameTaken) if told < 200 => told += 1,
            other => break other,
        }
    };
    assert!(
        matches!(refused, Err(AuthError::Throttled { .. })),
        "{refused:?}"
    );
    assert_eq!((told, house.auth.0.hasher.started()), (99, hashes));
}

#[tokio::test]
async fn registration_throttles_rejected_passwords() {
    let house = test_auth().await;
    let weak = || RegistrationRequest {
        password: password("password"),
        ..registration_request("ada")
    };
    let mut weighed = 0;
    while let Err(AuthError::PasswordRejected(_)) = house.auth.register(weak(), &origin()).await {
        weighed += 1;
        assert!(weighed <= 100);
    }
    assert!(matches!(
        house.auth.register(weak(), &origin()).await,
        Err(AuthError::Throttled { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn password_strength_check_waits_for_free_core() {
    let house = test_auth().await;
    let (free, taken) = std::sync::mpsc::channel::<()>();
    let taken = Arc::new(std::sync::Mutex::new(taken));
    let cores = std::thread::available_parallelism().unwrap().get();
    for _ in 0..cores {
        let (hasher, taken) = (house.auth.clone(), taken.clone());
        tokio::spawn(async move {
            hasher
                .0
                .hasher
                .run_on_pool(move || taken.lock().unwrap().recv().is_ok())
                .await
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let weighed = house
        .auth
        .evaluate_new(
            password(GOOD_PASSWORD),
            crate::password::UserInputs::default(),
        )
        .await;
    assert!(
        matches!(weighed, Err(AuthError::HasherBusy { .. })),
        "{weighed:?}"
    );
    drop(free);
    house
        .auth
        .evaluate_new(
            password(GOOD_PASSWORD),
            crate::password::UserInputs::default(),
        )
        .await
        .unwrap();
}
