//! Parallel attempts, several nodes, and the cost of an attempt.

use std::time::Duration;

use super::*;
use crate::{
    SessionKind,
    error::{SignInError, ThrottleError},
    throttle::{Attempt, CredentialKind},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_guesses_are_limited_to_five() {
    let test = test_auth().await.with_long_queues();
    test.register("ada").await;
    let started = test.auth.0.hasher.started();
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..500 {
        let auth = test.auth.clone();
        let from = other_network(n);
        guesses.spawn(async move {
            auth.passwords()
                .sign_in("ada", password(WRONG_PASSWORD), SessionKind::Web, from)
                .await
                .map(drop)
        });
    }
    let answers = guesses.join_all().await;
    let count = |is_it: fn(&AuthError) -> bool| {
        answers
            .iter()
            .filter(|answer| answer.as_ref().is_err_and(is_it))
            .count()
    };
    assert_eq!(
        count(|error| matches!(error, AuthError::SignIn(SignInError::InvalidCredentials))),
        5
    );
    assert_eq!(
        count(|error| matches!(error, AuthError::Throttle(ThrottleError::Throttled { .. }))),
        495
    );
    assert_eq!(test.auth.0.hasher.started() - started, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_attempts_after_failures_run_one_by_one() {
    let test = test_auth().await;
    for _ in 0..7 {
        test.record_failure(CredentialKind::Totp, "ada", origin())
            .await;
        test.clock.advance(Duration::from_secs(5));
    }
    let ada = name("ada");
    let from = origin();
    let attempt = Attempt {
        kind: CredentialKind::Totp,
        account: Some(&ada),
        from: &from,
    };
    let first = test
        .auth
        .0
        .throttling()
        .begin_attempt(&attempt)
        .await
        .unwrap();
    let second = tokio::spawn({
        let (auth, from) = (test.auth.clone(), origin());
        async move {
            let attempt = Attempt {
                kind: CredentialKind::Totp,
                account: Some(&name("ada")),
                from: &from,
            };
            auth.0.throttling().begin_attempt(&attempt).await.map(drop)
        }
    });
    tokio::task::yield_now().await;
    test.auth.0.throttling().failed(first).await.unwrap();
    retry_after(&second.await.unwrap().unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_correct_sign_ins_are_not_throttled() {
    let test = test_auth().await.with_long_queues();
    test.register("ada").await;
    let mut sign_ins = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let auth = test.auth.clone();
        sign_ins.spawn(async move {
            auth.passwords()
                .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
                .await
                .map(drop)
        });
    }
    for answer in sign_ins.join_all().await {
        answer.unwrap();
    }
}

#[tokio::test]
async fn throttle_state_is_shared_with_another_node() {
    let test = test_auth().await;
    test.register("ada").await;
    for _ in 0..5 {
        test.fail_sign_in("ada", other_network(1)).await;
    }
    let other = open_node(&test.store, &test.clock, settings()).await;
    let answer = other
        .passwords()
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
    let test = test_auth().await;
    test.register("ada").await;
    test.sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
    let ada = name("ada");
    let from = origin();
    let (before, count_rows) = (test.store.query_count(), test.store.failure_count_rows());
    let guard = test
        .auth
        .0
        .throttling()
        .begin_attempt(&Attempt {
            kind: CredentialKind::Password,
            account: Some(&ada),
            from: &from,
        })
        .await
        .unwrap();
    test.auth.0.throttling().succeeded(guard).await.unwrap();
    assert_eq!(test.store.query_count() - before, 1);
    assert_eq!(test.store.failure_count_rows(), count_rows);
}
