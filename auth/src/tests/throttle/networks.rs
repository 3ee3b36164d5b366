//! Throttling by network, also across many of its addresses.

use super::*;
use crate::error::{SignInError, ThrottleError};

#[tokio::test]
async fn network_throttle_covers_ipv6_subnet_and_mapped_ipv4() {
    let test = test_auth().await;
    let from = |raw: &str| Origin {
        address: raw.parse().unwrap(),
        ..origin()
    };
    for n in 0..100 {
        test.record_failure(
            CredentialKind::Password,
            &format!("x{n}"),
            from(&format!("2001:db8:1:2:{n:x}::{n:x}")),
        )
        .await;
        let raw = if n % 2 == 0 {
            "::ffff:192.0.2.7"
        } else {
            "192.0.2.7"
        };
        test.record_failure(CredentialKind::Password, &format!("y{n}"), from(raw))
            .await;
    }
    for refused in ["2001:db8:1:2:ffff:ffff::9", "192.0.2.7", "::ffff:192.0.2.7"] {
        retry_after(&test.fail_sign_in("z", from(refused)).await);
    }
    for free in ["2001:db8:1:3::1", "192.0.2.8"] {
        assert!(
            matches!(
                test.fail_sign_in("z", from(free)).await,
                AuthError::SignIn(SignInError::InvalidCredentials)
            ),
            "{free}"
        );
    }
}

#[tokio::test]
async fn network_throttle_covers_subnets_of_ipv6_site() {
    let test = test_auth().await;
    let from = |site: u16, subnet: u16| {
        let address = std::net::Ipv6Addr::new(0x2001, 0xdb8, site, subnet, 1, 2, 3, subnet);
        Origin {
            address: address.into(),
            ..origin()
        }
    };
    let mut tried = 0;
    for n in 0..1_500 {
        let answer = test
            .record_failure(CredentialKind::Password, &format!("x{n}"), from(1, n))
            .await;
        tried += u32::from(answer.is_none());
    }
    assert_eq!(tried, 1_000);
    retry_after(&test.fail_sign_in("z", from(1, 60_000)).await);
    // The audit has one entry for all denials of the network.
    assert_eq!(
        test.store
            .audit_action_names()
            .iter()
            .filter(|action| **action == "sign_in.throttled")
            .count(),
        1
    );
    assert!(matches!(
        test.fail_sign_in("z", from(2, 1)).await,
        AuthError::SignIn(SignInError::InvalidCredentials)
    ));
}

#[tokio::test]
async fn known_browser_signs_in_from_a_throttled_network() {
    let test = test_auth().await;
    test.register("ada").await;
    let device = random_device();
    test.sign_in_from("ada", GOOD_PASSWORD, with_device(&device, origin()))
        .await
        .unwrap();
    for n in 0..100 {
        assert!(
            test.record_failure(CredentialKind::Password, &format!("x{n}"), origin())
                .await
                .is_none()
        );
    }
    assert_eq!(
        retry_after(&test.fail_sign_in("x", origin()).await),
        Duration::from_secs(3)
    );
    test.sign_in_from("ada", GOOD_PASSWORD, with_device(&device, origin()))
        .await
        .unwrap();
}

#[tokio::test]
async fn throttled_flood_writes_one_audit_entry() {
    let test = test_auth().await;
    for n in 0..100 {
        test.record_failure(CredentialKind::Password, &format!("x{n}"), origin())
            .await;
    }
    let (count_rows, audited) = (
        test.store.failure_count_rows(),
        test.store.audit_action_names().len(),
    );
    for n in 0..600 {
        retry_after(&test.fail_sign_in(&format!("y{n}"), origin()).await);
    }
    assert_eq!(test.store.failure_count_rows(), count_rows);
    assert_eq!(
        test.store.audit_action_names()[audited..],
        ["sign_in.throttled"]
    );
}

#[tokio::test]
async fn device_flow_limit_applies_per_ipv6_site() {
    let test = test_auth().await;
    let from = |site: u16, subnet: u16| {
        let address = std::net::Ipv6Addr::new(0x2001, 0xdb8, site, subnet, 0, 0, 0, 1);
        Origin {
            address: address.into(),
            ..origin()
        }
    };
    for n in 0..300 {
        let started = test
            .auth
            .oauth()
            .device_authorization(None, None, from(1, n / 10))
            .await;
        let is_expected = match started {
            Ok(_) => n < 200,
            Err(AuthError::Throttle(ThrottleError::Throttled { .. })) => n >= 200,
            Err(_) => false,
        };
        assert!(is_expected, "{n}: {started:?}");
    }
    test.auth
        .oauth()
        .device_authorization(None, None, from(2, 1))
        .await
        .unwrap();
}
