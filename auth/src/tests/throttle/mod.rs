//! Password guessing, password spraying, and lockout of an account by others.

mod concurrency;
mod lift;
mod networks;
mod purge;

use std::time::Duration;

use super::*;
use crate::{
    SessionKind, Token, TokenKind,
    accounts::self_service::OtherSessions,
    error::{SignInError, ThrottleError},
    session::create::SignedIn,
    throttle::{Attempt, CredentialKind},
};

const WRONG_PASSWORD: &str = "this is not it at all";

/// An origin in its own network for each `n`.
fn other_network(n: u16) -> Origin {
    let [high, low] = n.to_be_bytes();
    Origin {
        address: IpAddr::from([198, 51, high, low]),
        ..origin()
    }
}

fn with_device(device: &Token, from: Origin) -> Origin {
    Origin {
        device: Some(device.hash()),
        ..from
    }
}

fn random_device() -> Token {
    Token::random(TokenKind::KnownDevice, &SecureRandom::system())
}

impl TestAuth {
    /// Attempts wait up to a minute for a core and a slot, so that a slow machine changes no result.
    fn with_long_queues(mut self) -> Self {
        let service = Arc::get_mut(&mut self.auth.0).unwrap();
        service.hasher.set_queue_timeout(Duration::from_mins(1));
        service.throttle.set_acquire_timeout(Duration::from_mins(1));
        self
    }

    async fn sign_in_from(
        &self,
        username: &str,
        raw: &str,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        self.auth
            .passwords()
            .sign_in(username, password(raw), SessionKind::Web, from)
            .await
    }

    /// The error for a wrong password.
    async fn fail_sign_in(&self, username: &str, from: Origin) -> AuthError {
        self.sign_in_from(username, WRONG_PASSWORD, from)
            .await
            .unwrap_err()
    }

    /// Records a failure without hashing. Returns the error if the attempt was denied.
    async fn record_failure(
        &self,
        secret: CredentialKind,
        username: &str,
        from: Origin,
    ) -> Option<AuthError> {
        let username = name(username);
        let attempt = Attempt {
            kind: secret,
            account: Some(&username),
            from: &from,
        };
        match self.auth.0.throttling().begin_attempt(&attempt).await {
            Ok(guard) => {
                self.auth.0.throttling().failed(guard).await.unwrap();
                None
            }
            Err(error) => Some(error),
        }
    }

    /// Fails 1,000 times from as many networks, 16 minutes apart. Returns the number of attempts
    /// that were not denied.
    async fn fail_from_many_networks(&self, secret: CredentialKind, username: &str) -> u32 {
        let mut tried = 0;
        for n in 0..1_000 {
            tried += u32::from(
                self.record_failure(secret, username, other_network(n))
                    .await
                    .is_none(),
            );
            self.clock.advance(Duration::from_mins(16));
        }
        tried
    }
}

fn retry_after(error: &AuthError) -> Duration {
    match error {
        AuthError::Throttle(ThrottleError::Throttled { retry_after }) => *retry_after,
        other => panic!("not throttled: {other}"),
    }
}

#[tokio::test]
async fn throttled_sign_in_is_denied_before_hashing() {
    let test = test_auth().await;
    test.register("ada").await;
    for username in ["ada", "nobody"] {
        for _ in 0..5 {
            assert!(matches!(
                test.fail_sign_in(username, other_network(1)).await,
                AuthError::SignIn(SignInError::InvalidCredentials)
            ));
        }
        let started = test.auth.0.hasher.started();
        assert_eq!(
            retry_after(
                &test
                    .sign_in_from(username, GOOD_PASSWORD, other_network(1))
                    .await
                    .unwrap_err()
            ),
            Duration::from_secs(1)
        );
        assert_eq!(test.auth.0.hasher.started(), started);
    }
    test.clock.advance(Duration::from_secs(1));
    test.sign_in_from("ada", GOOD_PASSWORD, other_network(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn throttle_wait_grows_with_failures_until_success() {
    let test = test_auth().await;
    test.register("ada").await;
    for _ in 0..5 {
        test.fail_sign_in("ada", origin()).await;
    }
    for seconds in [1, 2, 4] {
        assert_eq!(
            retry_after(&test.fail_sign_in("ada", origin()).await).as_secs(),
            seconds
        );
        test.clock.advance(Duration::from_secs(seconds));
        assert!(matches!(
            test.fail_sign_in("ada", origin()).await,
            AuthError::SignIn(SignInError::InvalidCredentials)
        ));
    }
    test.clock.advance(Duration::from_secs(8));
    test.sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
    for _ in 0..5 {
        assert!(matches!(
            test.fail_sign_in("ada", origin()).await,
            AuthError::SignIn(SignInError::InvalidCredentials)
        ));
    }
}

#[tokio::test]
async fn locked_account_owner_signs_in_from_known_origin() {
    let test = test_auth().await;
    test.register("ada").await;
    let device = random_device();
    test.sign_in_from("ada", GOOD_PASSWORD, with_device(&device, origin()))
        .await
        .unwrap();
    assert_eq!(
        test.fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    assert!(matches!(
        test.fail_sign_in("ada", other_network(2_000)).await,
        AuthError::Throttle(ThrottleError::LockedOut)
    ));
    // The known browser works from any network, the known network without it, repeatedly.
    test.sign_in_from(
        "ada",
        GOOD_PASSWORD,
        with_device(&device, other_network(3_000)),
    )
    .await
    .unwrap();
    test.sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
    test.sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
    // These sign-ins unlock nothing for the attacker.
    assert!(matches!(
        test.fail_sign_in("ada", other_network(2_001)).await,
        AuthError::Throttle(ThrottleError::LockedOut)
    ));
}

#[tokio::test]
async fn known_device_is_known_to_one_account_only() {
    let test = test_auth().await;
    test.register("ada").await;
    test.register("eve").await;
    let device = random_device();
    test.sign_in_from("eve", GOOD_PASSWORD, with_device(&device, other_network(1)))
        .await
        .unwrap();
    assert_eq!(
        test.fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    let answer = test
        .fail_sign_in("ada", with_device(&device, other_network(1)))
        .await;
    assert!(
        matches!(answer, AuthError::Throttle(ThrottleError::LockedOut)),
        "{answer}"
    );
}

#[tokio::test]
async fn failed_sign_in_does_not_make_device_known() {
    let test = test_auth().await;
    test.register("ada").await;
    let device = random_device();
    for n in 0..5 {
        test.fail_sign_in("ada", with_device(&device, other_network(n)))
            .await;
    }
    retry_after(
        &test
            .fail_sign_in("ada", with_device(&device, other_network(6)))
            .await,
    );
    retry_after(
        &test
            .fail_sign_in("ada", with_device(&random_device(), other_network(7)))
            .await,
    );
}

#[tokio::test]
async fn stolen_known_device_gets_at_most_100_guesses() {
    let test = test_auth().await;
    test.register("ada").await;
    let device = random_device();
    test.sign_in_from("ada", GOOD_PASSWORD, with_device(&device, origin()))
        .await
        .unwrap();
    let mut tried = 0;
    for n in 0..300 {
        let from = with_device(&device, other_network(n));
        tried += u32::from(
            test.record_failure(CredentialKind::Password, "ada", from)
                .await
                .is_none(),
        );
        test.clock.advance(Duration::from_mins(16));
    }
    assert_eq!(tried, 100);
    // The owner signs in from a known network.
    test.sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn lockout_covers_sign_in_and_password_change() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    assert_eq!(
        test.fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    // The token endpoint, the page and the change of a password are one authenticator.
    let from = other_network(5_000);
    let started = test.auth.0.hasher.started();
    for kind in [SessionKind::OAuth, SessionKind::Web] {
        let answer = test
            .auth
            .passwords()
            .sign_in("ada", password(GOOD_PASSWORD), kind, from.clone())
            .await
            .unwrap_err();
        assert!(
            matches!(answer, AuthError::Throttle(ThrottleError::LockedOut)),
            "{answer}"
        );
    }
    let change = test
        .auth
        .passwords()
        .change_password(
            &caller,
            password(GOOD_PASSWORD),
            password(WRONG_PASSWORD),
            OtherSessions::Keep,
            &from,
        )
        .await;
    assert!(
        matches!(change, Err(AuthError::Throttle(ThrottleError::LockedOut))),
        "{change:?}"
    );
    assert_eq!(test.auth.0.hasher.started(), started);
}

#[tokio::test]
async fn guessable_credentials_lock_out_after_100_failures() {
    let test = test_auth().await;
    for secret in CredentialKind::ALL {
        let tried = test.fail_from_many_networks(secret, "ada").await;
        assert_eq!(
            tried,
            if secret.is_guessable() { 100 } else { 1_000 },
            "{}",
            secret.as_str()
        );
    }
}

#[tokio::test]
async fn username_case_variants_share_one_throttle() {
    let test = test_auth().await;
    test.register("ada").await;
    for (n, typed) in ["ada", "Ada", "ADA", "aDa", "adA"].into_iter().enumerate() {
        let answer = test
            .fail_sign_in(typed, other_network(u16::try_from(n).unwrap()))
            .await;
        assert!(matches!(
            answer,
            AuthError::SignIn(SignInError::InvalidCredentials)
        ));
    }
    retry_after(&test.fail_sign_in("AdA", other_network(9)).await);
    // Unicode lookalikes name no account: they add no account count and charge the network.
    let before = test.store.failure_count_rows();
    for twin in ["аda", "ａda", "ada\u{200b}", "ada\0", "a da", "ada\u{301}"] {
        assert!(
            matches!(
                test.sign_in_from(twin, GOOD_PASSWORD, other_network(9))
                    .await,
                Err(AuthError::SignIn(SignInError::InvalidCredentials))
            ),
            "{twin:?}"
        );
    }
    assert_eq!(test.store.failure_count_rows(), before + 1);
}
