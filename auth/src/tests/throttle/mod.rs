//! Guessing, spraying, and locking others out.

mod networks;
mod purge;

use std::time::Duration;

use super::*;
use crate::{
    AuthStore as _, SessionKind, Token, TokenKind,
    service::{OtherSessions, SignedIn},
    store::{PasswordWrite, ThrottleStore as _, ThrottleTarget},
    throttle::{Attempt, CredentialKind},
};

const WRONG_PASSWORD: &str = "this is not it at all";

/// From another network for each `n`.
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
    async fn sign_in_from(
        &self,
        username: &str,
        raw: &str,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        self.auth
            .sign_in(username, password(raw), SessionKind::Web, from)
            .await
    }

    /// What a wrong password is answered.
    async fn fail_sign_in(&self, username: &str, from: Origin) -> AuthError {
        self.sign_in_from(username, WRONG_PASSWORD, from)
            .await
            .unwrap_err()
    }

    /// A failure that is charged without the time of a hash; the answer, where it is refused.
    async fn record_failure(
        &self,
        secret: CredentialKind,
        username: &str,
        from: Origin,
    ) -> Option<AuthError> {
        let username = name(username);
        let trial = Attempt {
            kind: secret,
            account: Some(&username),
            from: &from,
        };
        match self.auth.begin_attempt(&trial).await {
            Ok(pass) => {
                self.auth.failed(pass).await.unwrap();
                None
            }
            Err(error) => Some(error),
        }
    }

    /// A thousand failures, from as many networks, with all the patience in the world.
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
        AuthError::Throttled { retry_after } => *retry_after,
        other => panic!("not throttled: {other}"),
    }
}

#[tokio::test]
async fn throttled_sign_in_is_denied_before_hashing() {
    let house = test_auth().await;
    house.register("ada").await;
    for username in ["ada", "nobody"] {
        for _ in 0..5 {
            assert!(matches!(
                house.fail_sign_in(username, other_network(1)).await,
                AuthError::InvalidCredentials
            ));
        }
        let begun = house.auth.0.hasher.started();
        assert_eq!(
            retry_after(
                &house
                    .sign_in_from(username, GOOD_PASSWORD, other_network(1))
                    .await
                    .unwrap_err()
            ),
            Duration::from_secs(1)
        );
        assert_eq!(house.auth.0.hasher.started(), begun);
    }
    house.clock.advance(Duration::from_secs(1));
    house
        .sign_in_from("ada", GOOD_PASSWORD, other_network(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn throttle_wait_grows_with_failures_until_success() {
    let house = test_auth().await;
    house.register("ada").await;
    for _ in 0..5 {
        house.fail_sign_in("ada", origin()).await;
    }
    for seconds in [1, 2, 4] {
        assert_eq!(
            retry_after(&house.fail_sign_in("ada", origin()).await).as_secs(),
            seconds
        );
        house.clock.advance(Duration::from_secs(seconds));
        assert!(matches!(
            house.fail_sign_in("ada", origin()).await,
            AuthError::InvalidCredentials
        ));
    }
    house.clock.advance(Duration::from_secs(8));
    house
        .sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
    for _ in 0..5 {
        assert!(matches!(
            house.fail_sign_in("ada", origin()).await,
            AuthError::InvalidCredentials
        ));
    }
}

#[tokio::test]
async fn locked_account_owner_signs_in_from_known_origin() {
    let house = test_auth().await;
    house.register("ada").await;
    let device = random_device();
    house
        .sign_in_from("ada", GOOD_PASSWORD, with_device(&device, origin()))
        .await
        .unwrap();
    assert_eq!(
        house
            .fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    assert!(matches!(
        house.fail_sign_in("ada", other_network(2_000)).await,
        AuthError::LockedOut
    ));
    // With the browser from anywhere, without it from the network, and again and again.
    house
        .sign_in_from(
            "ada",
            GOOD_PASSWORD,
            with_device(&device, other_network(3_000)),
        )
        .await
        .unwrap();
    house
        .sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
    house
        .sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
    // That is no invitation to go on for whoever did it.
    assert!(matches!(
        house.fail_sign_in("ada", other_network(2_001)).await,
        AuthError::LockedOut
    ));
}

#[tokio::test]
async fn known_device_is_known_to_one_account_only() {
    let house = test_auth().await;
    house.register("ada").await;
    house.register("eve").await;
    let device = random_device();
    house
        .sign_in_from("eve", GOOD_PASSWORD, with_device(&device, other_network(1)))
        .await
        .unwrap();
    assert_eq!(
        house
            .fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    let answer = house
        .fail_sign_in("ada", with_device(&device, other_network(1)))
        .await;
    assert!(matches!(answer, AuthError::LockedOut), "{answer}");
}

#[tokio::test]
async fn failed_sign_in_does_not_make_device_known() {
    let house = test_auth().await;
    house.register("ada").await;
    let device = random_device();
    for n in 0..5 {
        house
            .fail_sign_in("ada", with_device(&device, other_network(n)))
            .await;
    }
    retry_after(
        &house
            .fail_sign_in("ada", with_device(&device, other_network(6)))
            .await,
    );
    retry_after(
        &house
            .fail_sign_in("ada", with_device(&random_device(), other_network(7)))
            .await,
    );
}

#[tokio::test]
async fn stolen_known_device_gets_at_most_100_guesses() {
    let house = test_auth().await;
    house.register("ada").await;
    let device = random_device();
    house
        .sign_in_from("ada", GOOD_PASSWORD, with_device(&device, origin()))
        .await
        .unwrap();
    let mut tried = 0;
    for n in 0..300 {
        let from = with_device(&device, other_network(n));
        tried += u32::from(
            house
                .record_failure(CredentialKind::Password, "ada", from)
                .await
                .is_none(),
        );
        house.clock.advance(Duration::from_mins(16));
    }
    assert_eq!(tried, 100);
    // Its owner has other ways.
    house
        .sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn lockout_covers_sign_in_and_password_change() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, caller) = house.sign_in("ada").await;
    assert_eq!(
        house
            .fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    // The token endpoint, the page and the change of a password are one authenticator.
    let from = other_network(5_000);
    let begun = house.auth.0.hasher.started();
    for kind in [SessionKind::OAuth, SessionKind::Web] {
        let answer = house
            .auth
            .sign_in("ada", password(GOOD_PASSWORD), kind, from.clone())
            .await
            .unwrap_err();
        assert!(matches!(answer, AuthError::LockedOut), "{answer}");
    }
    let change = house
        .auth
        .change_password(
            &caller,
            password(GOOD_PASSWORD),
            password(WRONG_PASSWORD),
            OtherSessions::Keep,
            &from,
        )
        .await;
    assert!(matches!(change, Err(AuthError::LockedOut)), "{change:?}");
    assert_eq!(house.auth.0.hasher.started(), begun);
}

#[tokio::test]
async fn guessable_credentials_lock_out_after_100_failures() {
    let house = test_auth().await;
    for secret in CredentialKind::ALL {
        let tried = house.fail_from_many_networks(secret, "ada").await;
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
    let house = test_auth().await;
    house.register("ada").await;
    for (n, typed) in ["ada", "Ada", "ADA", "aDa", "adA"].into_iter().enumerate() {
        let answer = house
            .fail_sign_in(typed, other_network(u16::try_from(n).unwrap()))
            .await;
        assert!(matches!(answer, AuthError::InvalidCredentials));
    }
    retry_after(&house.fail_sign_in("AdA", other_network(9)).await);
    // Twins are nobody: no account, no second count, and the network pays.
    let before = house.store.failure_count_rows();
    for twin in ["аda", "ａda", "ada\u{200b}", "ada\0", " ada", "ada\u{301}"] {
        assert!(
            matches!(
                house
                    .sign_in_from(twin, GOOD_PASSWORD, other_network(9))
                    .await,
                Err(AuthError::InvalidCredentials)
            ),
            "{twin:?}"
        );
    }
    assert_eq!(house.store.failure_count_rows(), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_guesses_are_limited_to_five() {
    let house = test_auth().await;
    house.register("ada").await;
    let begun = house.auth.0.hasher.started();
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..500 {
        let auth = house.auth.clone();
        let from = other_network(n);
        guesses.spawn(async move {
            auth.sign_in("ada", password(WRONG_PASSWORD), SessionKind::Web, from)
                .await
                .map(drop)
        });
    }
    let answers = guesses.join_all().await;
    let tried = answers
        .iter()
        .filter(|answer| matches!(answer, Err(AuthError::InvalidCredentials)))
        .count();
    assert!((1..=5).contains(&tried), "{tried}");
    assert!(house.auth.0.hasher.started() - begun <= 5);
    let others = |answer: &&Result<(), AuthError>| {
        matches!(
            answer,
            Err(AuthError::Throttled { .. } | AuthError::HasherBusy { .. })
        )
    };
    assert_eq!(answers.iter().filter(others).count() + tried, 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_attempts_after_failures_run_one_by_one() {
    let house = test_auth().await;
    for _ in 0..7 {
        house
            .record_failure(CredentialKind::Totp, "ada", origin())
            .await;
        house.clock.advance(Duration::from_secs(5));
    }
    let ada = name("ada");
    let from = origin();
    let trial = Attempt {
        kind: CredentialKind::Totp,
        account: Some(&ada),
        from: &from,
    };
    let first = house.auth.begin_attempt(&trial).await.unwrap();
    let second = tokio::spawn({
        let (auth, from) = (house.auth.clone(), origin());
        async move {
            let trial = Attempt {
                kind: CredentialKind::Totp,
                account: Some(&name("ada")),
                from: &from,
            };
            auth.begin_attempt(&trial).await.map(drop)
        }
    });
    tokio::task::yield_now().await;
    house.auth.failed(first).await.unwrap();
    retry_after(&second.await.unwrap().unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_correct_sign_ins_are_not_throttled() {
    let house = test_auth().await;
    house.register("ada").await;
    let mut sign_ins = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let auth = house.auth.clone();
        sign_ins.spawn(async move {
            auth.sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
                .await
                .map(drop)
        });
    }
    for answer in sign_ins.join_all().await {
        assert!(
            matches!(answer, Ok(()) | Err(AuthError::HasherBusy { .. })),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn throttle_state_is_shared_with_another_node() {
    let house = test_auth().await;
    house.register("ada").await;
    for _ in 0..5 {
        house.fail_sign_in("ada", other_network(1)).await;
    }
    let other = open_node(&house.store, &house.clock, settings()).await;
    let answer = other
        .sign_in(
            "ada",
            password(GOOD_PASSWORD),
            SessionKind::Web,
            other_network(2),
        )
        .await
        .unwrap_err();
    assert_eq!(retry_after(&answer), Duration::from_secs(1));
}

#[tokio::test]
async fn unthrottled_attempt_costs_one_store_read() {
    let house = test_auth().await;
    house.register("ada").await;
    house
        .sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
    let ada = name("ada");
    let from = origin();
    let (before, tallies) = (house.store.query_count(), house.store.failure_count_rows());
    let pass = house
        .auth
        .begin_attempt(&Attempt {
            kind: CredentialKind::Password,
            account: Some(&ada),
            from: &from,
        })
        .await
        .unwrap();
    house.auth.succeeded(pass).await.unwrap();
    assert_eq!(house.store.query_count() - before, 1);
    assert_eq!(house.store.failure_count_rows(), tallies);
}

#[tokio::test]
async fn changed_password_clears_the_account_lockout() {
    let house = test_auth().await;
    house.register("ada").await;
    house.sign_in("ada").await;
    assert_eq!(
        house
            .fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    let (_, caller) = house.sign_in("ada").await;
    let new = "a different long password";
    house
        .auth
        .change_password(
            &caller,
            password(GOOD_PASSWORD),
            password(new),
            OtherSessions::Keep,
            &origin(),
        )
        .await
        .unwrap();
    house
        .sign_in_from("ada", new, other_network(7_000))
        .await
        .unwrap();
}

#[tokio::test]
async fn rehashed_password_keeps_the_throttle() {
    let house = test_auth().await;
    house
        .import_account("ada", &bcrypt::hash("short", 4).unwrap())
        .await;
    for _ in 0..5 {
        house.fail_sign_in("ada", other_network(1)).await;
    }
    house
        .sign_in_from(
            "ada",
            "short",
            with_device(&random_device(), other_network(1)),
        )
        .await
        .unwrap_err();
    let old = PasswordHash::from_stored(&house.store.password_hash("ada"));
    let new = house
        .auth
        .0
        .hasher
        .hash(&Arc::new(password("short")))
        .await
        .unwrap();
    assert!(
        house
            .store
            .replace_password(
                &name("ada"),
                &old,
                new,
                PasswordWrite::Rehash,
                crate::Actor::console(),
                house.auth.0.clock.now()
            )
            .await
            .unwrap()
    );
    retry_after(&house.fail_sign_in("ada", other_network(2)).await);
}

#[tokio::test]
async fn lifted_lockout_allows_sign_in_again() {
    let house = test_auth().await;
    house.register("ada").await;
    assert_eq!(
        house
            .fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    let now = house.auth.0.clock.now();
    let lifted = house
        .store
        .lift(
            ThrottleTarget::Account(name("ada")),
            crate::Actor::console(),
            now,
        )
        .await
        .unwrap();
    assert_eq!(lifted, 1);
    house
        .sign_in_from("ada", GOOD_PASSWORD, other_network(9_000))
        .await
        .unwrap();
}

#[tokio::test]
async fn factor_reset_clears_the_factor_lockouts() {
    let house = test_auth().await;
    house.register("ada").await;
    let root = house.administrator("root").await;
    for secret in [CredentialKind::Totp, CredentialKind::RecoveryCode] {
        assert_eq!(house.fail_from_many_networks(secret, "ada").await, 100);
    }
    let reason = crate::factor::AuditReason::parse("lost the telephone").unwrap();
    house.clock.rewind(Duration::from_hours(24 * 365));
    house
        .auth
        .reset_factors(&root.permit(None).unwrap(), &name("ada"), reason)
        .await
        .unwrap();
    for secret in [CredentialKind::Totp, CredentialKind::RecoveryCode] {
        assert!(
            house
                .record_failure(secret, "ada", other_network(9_000))
                .await
                .is_none(),
            "{}",
            secret.as_str()
        );
    }
}
