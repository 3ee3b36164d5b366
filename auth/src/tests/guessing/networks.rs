//! Whoever comes from one network, be it under many addresses.

use super::*;

#[tokio::test]
async fn network_throttle_covers_ipv6_subnet_and_mapped_ipv4() {
    let house = house().await;
    let from = |raw: &str| Origin {
        address: raw.parse().unwrap(),
        ..origin()
    };
    for n in 0..100 {
        house
            .fail_fast(
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
        house
            .fail_fast(CredentialKind::Password, &format!("y{n}"), from(raw))
            .await;
    }
    for refused in ["2001:db8:1:2:ffff:ffff::9", "192.0.2.7", "::ffff:192.0.2.7"] {
        wait(&house.guess("z", from(refused)).await);
    }
    for free in ["2001:db8:1:3::1", "192.0.2.8"] {
        assert!(
            matches!(
                house.guess("z", from(free)).await,
                AuthError::BadCredentials
            ),
            "{free}"
        );
    }
}

#[tokio::test]
async fn network_throttle_covers_subnets_of_ipv6_site() {
    let house = house().await;
    let from = |site: u16, subnet: u16| {
        let address = std::net::Ipv6Addr::new(0x2001, 0xdb8, site, subnet, 1, 2, 3, subnet);
        Origin {
            address: address.into(),
            ..origin()
        }
    };
    let mut tried = 0;
    for n in 0..1_500 {
        let answer = house
            .fail_fast(CredentialKind::Password, &format!("x{n}"), from(1, n))
            .await;
        tried += u32::from(answer.is_none());
    }
    assert_eq!(tried, 1_000);
    wait(&house.guess("z", from(1, 60_000)).await);
    // What all of them are refused is told once, not once for each.
    assert_eq!(
        house
            .store
            .audited()
            .iter()
            .filter(|deed| **deed == "sign_in.throttled")
            .count(),
        1
    );
    assert!(matches!(
        house.guess("z", from(2, 1)).await,
        AuthError::BadCredentials
    ));
}

#[tokio::test]
async fn known_browser_signs_in_from_a_throttled_network() {
    let house = house().await;
    house.register("ada").await;
    let device = a_device();
    house
        .try_from("ada", GOOD, with_device(&device, origin()))
        .await
        .unwrap();
    for n in 0..100 {
        assert!(
            house
                .fail_fast(CredentialKind::Password, &format!("x{n}"), origin())
                .await
                .is_none()
        );
    }
    assert_eq!(
        wait(&house.guess("x", origin()).await),
        Duration::from_secs(3)
    );
    house
        .try_from("ada", GOOD, with_device(&device, origin()))
        .await
        .unwrap();
}

#[tokio::test]
async fn throttled_flood_writes_one_audit_entry() {
    let house = house().await;
    for n in 0..100 {
        house
            .fail_fast(CredentialKind::Password, &format!("x{n}"), origin())
            .await;
    }
    let (tallies, audited) = (house.store.tallies(), house.store.audited().len());
    for n in 0..600 {
        wait(&house.guess(&format!("y{n}"), origin()).await);
    }
    assert_eq!(house.store.tallies(), tallies);
    assert_eq!(house.store.audited()[audited..], ["sign_in.throttled"]);
}

#[tokio::test]
async fn device_flow_limit_applies_per_ipv6_site() {
    let house = house().await;
    let from = |site: u16, subnet: u16| {
        let address = std::net::Ipv6Addr::new(0x2001, 0xdb8, site, subnet, 0, 0, 0, 1);
        Origin {
            address: address.into(),
            ..origin()
        }
    };
    let mut begun = 0;
    for n in 0..300 {
        begun += u32::from(
            house
                .auth
                .device_authorization(None, None, from(1, n / 10))
                .await
                .is_ok(),
        );
    }
    assert_eq!(begun, 200);
    house
        .auth
        .device_authorization(None, None, from(2, 1))
        .await
        .unwrap();
}
