//! The operations that lift a throttle or a lockout, and those that do not.

use std::time::Duration;

use super::*;
use crate::{
    AuthStore as _,
    accounts::self_service::OtherSessions,
    error::ThrottleError,
    store::{PasswordWrite, ThrottleStore as _, ThrottleTarget},
    throttle::CredentialKind,
};

#[tokio::test]
async fn changed_password_clears_the_account_lockout() {
    let test = test_auth().await;
    test.register("ada").await;
    test.sign_in("ada").await;
    assert_eq!(
        test.fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    let (_, caller) = test.sign_in("ada").await;
    let new = "a different long password";
    test.auth
        .passwords()
        .change_password(
            &caller,
            password(GOOD_PASSWORD),
            password(new),
            OtherSessions::Keep,
            &origin(),
        )
        .await
        .unwrap();
    test.sign_in_from("ada", new, other_network(7_000))
        .await
        .unwrap();
}

#[tokio::test]
async fn rehashed_password_keeps_the_throttle() {
    let test = test_auth().await;
    test.import_account("ada", &bcrypt::hash("short", 4).unwrap())
        .await;
    for _ in 0..5 {
        test.fail_sign_in("ada", other_network(1)).await;
    }
    // A device without an earlier sign-in does not pass the throttle.
    let unknown_device = with_device(&random_device(), other_network(1));
    let refused = test.sign_in_from("ada", "short", unknown_device).await;
    assert!(
        matches!(
            refused,
            Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
        ),
        "{refused:?}"
    );
    let old = PasswordHash::from_stored(&test.store.password_hash("ada"));
    let new = test
        .auth
        .0
        .hasher
        .hash(&Arc::new(password("short")))
        .await
        .unwrap();
    assert!(
        test.store
            .replace_password(
                &name("ada"),
                &old,
                new,
                PasswordWrite::Rehash,
                crate::Actor::console(),
                test.auth.0.core.clock.now()
            )
            .await
            .unwrap()
    );
    retry_after(&test.fail_sign_in("ada", other_network(2)).await);
}

#[tokio::test]
async fn lifted_lockout_allows_sign_in_again() {
    let test = test_auth().await;
    test.register("ada").await;
    assert_eq!(
        test.fail_from_many_networks(CredentialKind::Password, "ada")
            .await,
        100
    );
    let now = test.auth.0.core.clock.now();
    let lifted = test
        .store
        .lift(
            ThrottleTarget::Account(name("ada")),
            crate::Actor::console(),
            now,
        )
        .await
        .unwrap();
    assert_eq!(lifted, 1);
    test.sign_in_from("ada", GOOD_PASSWORD, other_network(9_000))
        .await
        .unwrap();
}

#[tokio::test]
async fn factor_reset_clears_the_factor_lockouts() {
    let test = test_auth().await;
    test.register("ada").await;
    let root = test.administrator("root").await;
    for secret in [CredentialKind::Totp, CredentialKind::RecoveryCode] {
        assert_eq!(test.fail_from_many_networks(secret, "ada").await, 100);
    }
    let reason = crate::factor::AuditReason::parse("lost the telephone").unwrap();
    test.clock.rewind(Duration::from_hours(24 * 365));
    test.auth
        .factors()
        .reset_factors(&root.permit(None).unwrap(), &name("ada"), reason)
        .await
        .unwrap();
    for secret in [CredentialKind::Totp, CredentialKind::RecoveryCode] {
        assert!(
            test.record_failure(secret, "ada", other_network(9_000))
                .await
                .is_none(),
            "{}",
            secret.as_str()
        );
    }
}
