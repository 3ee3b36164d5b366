//! Guessing, spraying, and locking others out.

mod forgetting;
mod networks;

use std::time::Duration;

use super::*;
use crate::{
    AuthStore as _, SessionKind, Token, TokenKind,
    auth::{Others, SignedIn},
    guessing::{Secret, Trial},
    store::{Replacement, ThrottleStore as _, Whose},
};

const WRONG: &str = "this is not it at all";

/// From another network for each `n`.
fn elsewhere(n: u16) -> Origin {
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

fn a_device() -> Token {
    Token::random(TokenKind::Device, &Chance::system())
}

impl House {
    async fn try_from(
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
    async fn guess(&self, username: &str, from: Origin) -> AuthError {
        self.try_from(username, WRONG, from).await.unwrap_err()
    }

    /// A failure that is charged without the time of a hash; the answer, where it is refused.
    async fn fail_fast(&self, secret: Secret, username: &str, from: Origin) -> Option<AuthError> {
        let username = name(username);
        let trial = Trial {
            secret,
            account: Some(&username),
            from: &from,
        };
        match self.auth.may_try(&trial).await {
            Ok(pass) => {
                self.auth.failed(pass).await.unwrap();
                None
            }
            Err(error) => Some(error),
        }
    }

    /// A thousand failures, from as many networks, with all the patience in the world.
    async fn besiege(&self, secret: Secret, username: &str) -> u32 {
        let mut tried = 0;
        for n in 0..1_000 {
            tried += u32::from(
                self.fail_fast(secret, username, elsewhere(n))
                    .await
                    .is_none(),
            );
            self.hands.forward(Duration::from_mins(16));
        }
        tried
    }
}

fn wait(error: &AuthError) -> Duration {
    match error {
        AuthError::Throttled { retry_after } => *retry_after,
        other => panic!("not throttled: {other}"),
    }
}

#[tokio::test]
async fn guessing_is_refused_before_any_hashing_and_for_unknown_names_too() {
    let house = house().await;
    house.register("ada").await;
    for username in ["ada", "nobody"] {
        for _ in 0..5 {
            assert!(matches!(
                house.guess(username, elsewhere(1)).await,
                AuthError::BadCredentials
            ));
        }
        let begun = house.auth.0.hasher.begun();
        assert_eq!(
            wait(
                &house
                    .try_from(username, GOOD, elsewhere(1))
                    .await
                    .unwrap_err()
            ),
            Duration::from_secs(1)
        );
        assert_eq!(house.auth.0.hasher.begun(), begun);
    }
    house.hands.forward(Duration::from_secs(1));
    house.try_from("ada", GOOD, elsewhere(1)).await.unwrap();
}

#[tokio::test]
async fn each_further_failure_makes_the_wait_longer_and_a_success_ends_it() {
    let house = house().await;
    house.register("ada").await;
    for _ in 0..5 {
        house.guess("ada", origin()).await;
    }
    for seconds in [1, 2, 4] {
        assert_eq!(wait(&house.guess("ada", origin()).await).as_secs(), seconds);
        house.hands.forward(Duration::from_secs(seconds));
        assert!(matches!(
            house.guess("ada", origin()).await,
            AuthError::BadCredentials
        ));
    }
    house.hands.forward(Duration::from_secs(8));
    house.try_from("ada", GOOD, origin()).await.unwrap();
    for _ in 0..5 {
        assert!(matches!(
            house.guess("ada", origin()).await,
            AuthError::BadCredentials
        ));
    }
}

#[tokio::test]
async fn pitfall_lockout_as_denial_of_service_a_thousand_failures_of_an_outsider_and_the_owner_signs_in()
 {
    let house = house().await;
    house.register("ada").await;
    let device = a_device();
    house
        .try_from("ada", GOOD, with_device(&device, origin()))
        .await
        .unwrap();
    assert_eq!(house.besiege(Secret::Password, "ada").await, 100);
    assert!(matches!(
        house.guess("ada", elsewhere(2_000)).await,
        AuthError::LockedOut
    ));
    // With the browser from anywhere, without it from the network, and again and again.
    house
        .try_from("ada", GOOD, with_device(&device, elsewhere(3_000)))
        .await
        .unwrap();
    house.try_from("ada", GOOD, origin()).await.unwrap();
    house.try_from("ada", GOOD, origin()).await.unwrap();
    // That is no invitation to go on for whoever did it.
    assert!(matches!(
        house.guess("ada", elsewhere(2_001)).await,
        AuthError::LockedOut
    ));
}

#[tokio::test]
async fn a_device_is_known_to_the_account_that_signed_in_with_it_only() {
    let house = house().await;
    house.register("ada").await;
    house.register("eve").await;
    let device = a_device();
    house
        .try_from("eve", GOOD, with_device(&device, elsewhere(1)))
        .await
        .unwrap();
    assert_eq!(house.besiege(Secret::Password, "ada").await, 100);
    let answer = house.guess("ada", with_device(&device, elsewhere(1))).await;
    assert!(matches!(answer, AuthError::LockedOut), "{answer}");
}

#[tokio::test]
async fn a_failed_sign_in_makes_no_device_known() {
    let house = house().await;
    house.register("ada").await;
    let device = a_device();
    for n in 0..5 {
        house.guess("ada", with_device(&device, elsewhere(n))).await;
    }
    wait(&house.guess("ada", with_device(&device, elsewhere(6))).await);
    wait(
        &house
            .guess("ada", with_device(&a_device(), elsewhere(7)))
            .await,
    );
}

#[tokio::test]
async fn a_stolen_device_guesses_a_hundred_times_and_no_more() {
    let house = house().await;
    house.register("ada").await;
    let device = a_device();
    house
        .try_from("ada", GOOD, with_device(&device, origin()))
        .await
        .unwrap();
    let mut tried = 0;
    for n in 0..300 {
        let from = with_device(&device, elsewhere(n));
        tried += u32::from(
            house
                .fail_fast(Secret::Password, "ada", from)
                .await
                .is_none(),
        );
        house.hands.forward(Duration::from_mins(16));
    }
    assert_eq!(tried, 100);
    // Its owner has other ways.
    house.try_from("ada", GOOD, origin()).await.unwrap();
}

#[tokio::test]
async fn pitfall_lockout_bypassed_by_another_way_in() {
    let house = house().await;
    house.register("ada").await;
    let (_, caller) = house.signed_in("ada").await;
    assert_eq!(house.besiege(Secret::Password, "ada").await, 100);
    // The token endpoint, the page and the change of a password are one authenticator.
    let from = elsewhere(5_000);
    let begun = house.auth.0.hasher.begun();
    for kind in [SessionKind::Tokens, SessionKind::Web] {
        let answer = house
            .auth
            .sign_in("ada", password(GOOD), kind, from.clone())
            .await
            .unwrap_err();
        assert!(matches!(answer, AuthError::LockedOut), "{answer}");
    }
    let change = house
        .auth
        .change_password(
            &caller,
            password(GOOD),
            password(WRONG),
            Others::Keep,
            &from,
        )
        .await;
    assert!(matches!(change, Err(AuthError::LockedOut)), "{change:?}");
    assert_eq!(house.auth.0.hasher.begun(), begun);
}

#[tokio::test]
async fn every_secret_that_can_be_guessed_has_its_hundred_and_no_other_counts_by_account() {
    let house = house().await;
    for secret in Secret::ALL {
        let tried = house.besiege(secret, "ada").await;
        assert_eq!(
            tried,
            if secret.can_be_guessed() { 100 } else { 1_000 },
            "{}",
            secret.as_str()
        );
    }
}

#[tokio::test]
async fn pitfall_username_case_or_unicode_twin_gets_a_second_bucket() {
    let house = house().await;
    house.register("ada").await;
    for (n, typed) in ["ada", "Ada", "ADA", "aDa", "adA"].into_iter().enumerate() {
        let answer = house
            .guess(typed, elsewhere(u16::try_from(n).unwrap()))
            .await;
        assert!(matches!(answer, AuthError::BadCredentials));
    }
    wait(&house.guess("AdA", elsewhere(9)).await);
    // Twins are nobody: no account, no second count, and the network pays.
    let before = house.store.tallies();
    for twin in ["аda", "ａda", "ada\u{200b}", "ada\0", " ada", "ada\u{301}"] {
        assert!(
            matches!(
                house.try_from(twin, GOOD, elsewhere(9)).await,
                Err(AuthError::BadCredentials)
            ),
            "{twin:?}"
        );
    }
    assert_eq!(house.store.tallies(), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_parallel_guesses_are_five() {
    let house = house().await;
    house.register("ada").await;
    let begun = house.auth.0.hasher.begun();
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..500 {
        let auth = house.auth.clone();
        let from = elsewhere(n);
        guesses.spawn(async move {
            auth.sign_in("ada", password(WRONG), SessionKind::Web, from)
                .await
                .map(drop)
        });
    }
    let answers = guesses.join_all().await;
    let tried = answers
        .iter()
        .filter(|answer| matches!(answer, Err(AuthError::BadCredentials)))
        .count();
    assert!((1..=5).contains(&tried), "{tried}");
    assert!(house.auth.0.hasher.begun() - begun <= 5);
    let others = |answer: &&Result<(), AuthError>| {
        matches!(
            answer,
            Err(AuthError::Throttled { .. } | AuthError::Busy { .. })
        )
    };
    assert_eq!(answers.iter().filter(others).count() + tried, 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_tries_after_a_failure_are_answered_one_by_one() {
    let house = house().await;
    for _ in 0..7 {
        house.fail_fast(Secret::Totp, "ada", origin()).await;
        house.hands.forward(Duration::from_secs(5));
    }
    let ada = name("ada");
    let from = origin();
    let trial = Trial {
        secret: Secret::Totp,
        account: Some(&ada),
        from: &from,
    };
    let first = house.auth.may_try(&trial).await.unwrap();
    let second = tokio::spawn({
        let (auth, from) = (house.auth.clone(), origin());
        async move {
            let trial = Trial {
                secret: Secret::Totp,
                account: Some(&name("ada")),
                from: &from,
            };
            auth.may_try(&trial).await.map(drop)
        }
    });
    tokio::task::yield_now().await;
    house.auth.failed(first).await.unwrap();
    wait(&second.await.unwrap().unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_right_passwords_at_once_all_sign_in() {
    let house = house().await;
    house.register("ada").await;
    let mut sign_ins = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let auth = house.auth.clone();
        sign_ins.spawn(async move {
            auth.sign_in("ada", password(GOOD), SessionKind::Web, origin())
                .await
                .map(drop)
        });
    }
    for answer in sign_ins.join_all().await {
        assert!(
            matches!(answer, Ok(()) | Err(AuthError::Busy { .. })),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn another_node_and_a_restart_remember() {
    let house = house().await;
    house.register("ada").await;
    for _ in 0..5 {
        house.guess("ada", elsewhere(1)).await;
    }
    let other = open(&house.store, &house.hands, settings()).await;
    let answer = other
        .sign_in("ada", password(GOOD), SessionKind::Web, elsewhere(2))
        .await
        .unwrap_err();
    assert_eq!(wait(&answer), Duration::from_secs(1));
}

#[tokio::test]
async fn a_sign_in_nobody_stands_in_the_way_of_asks_once_and_writes_nothing_for_it() {
    let house = house().await;
    house.register("ada").await;
    house.try_from("ada", GOOD, origin()).await.unwrap();
    let ada = name("ada");
    let from = origin();
    let (before, tallies) = (house.store.asked(), house.store.tallies());
    let pass = house
        .auth
        .may_try(&Trial {
            secret: Secret::Password,
            account: Some(&ada),
            from: &from,
        })
        .await
        .unwrap();
    house.auth.succeeded(pass).await.unwrap();
    assert_eq!(house.store.asked() - before, 1);
    assert_eq!(house.store.tallies(), tallies);
}

#[tokio::test]
async fn a_new_password_is_not_charged_for_guesses_at_the_old_one() {
    let house = house().await;
    house.register("ada").await;
    house.signed_in("ada").await;
    assert_eq!(house.besiege(Secret::Password, "ada").await, 100);
    let (_, caller) = house.signed_in("ada").await;
    let new = "a different long password";
    house
        .auth
        .change_password(
            &caller,
            password(GOOD),
            password(new),
            Others::Keep,
            &origin(),
        )
        .await
        .unwrap();
    house.try_from("ada", new, elsewhere(7_000)).await.unwrap();
}

#[tokio::test]
async fn an_upgraded_hash_is_no_new_password() {
    let house = house().await;
    house
        .import("ada", &bcrypt::hash("short", 4).unwrap())
        .await;
    for _ in 0..5 {
        house.guess("ada", elsewhere(1)).await;
    }
    house
        .try_from("ada", "short", with_device(&a_device(), elsewhere(1)))
        .await
        .unwrap_err();
    let old = PasswordHash::stored(&house.store.hash_of("ada"));
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
                Replacement::Upgrade,
                crate::Actor::console(),
                house.auth.0.clock.now()
            )
            .await
            .unwrap()
    );
    wait(&house.guess("ada", elsewhere(2)).await);
}

#[tokio::test]
async fn an_administrator_lifts_what_an_outsider_shut() {
    let house = house().await;
    house.register("ada").await;
    assert_eq!(house.besiege(Secret::Password, "ada").await, 100);
    let now = house.auth.0.clock.now();
    let lifted = house
        .store
        .lift(Whose::Account(name("ada")), crate::Actor::console(), now)
        .await
        .unwrap();
    assert_eq!(lifted, 1);
    house.try_from("ada", GOOD, elsewhere(9_000)).await.unwrap();
}

#[tokio::test]
async fn new_factors_are_not_charged_for_guesses_at_those_that_were_lost() {
    let house = house().await;
    house.register("ada").await;
    let root = house.administrator("root").await;
    for secret in [Secret::Totp, Secret::RecoveryCode] {
        assert_eq!(house.besiege(secret, "ada").await, 100);
    }
    let reason = crate::factor::Reason::parse("lost the telephone").unwrap();
    house.hands.back(Duration::from_hours(24 * 365));
    house
        .auth
        .recover(&root.permit(None).unwrap(), &name("ada"), reason)
        .await
        .unwrap();
    for secret in [Secret::Totp, Secret::RecoveryCode] {
        assert!(
            house
                .fail_fast(secret, "ada", elsewhere(9_000))
                .await
                .is_none(),
            "{}",
            secret.as_str()
        );
    }
}
