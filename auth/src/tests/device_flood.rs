//! A flood of device codes from many networks.

use super::*;
use crate::{DeviceCodes, OAuthError, error::TokenError, oauth::consent::Decision};

fn from(network: u8, host: u8) -> Origin {
    Origin {
        address: IpAddr::from([198, 51, network, host]),
        ..origin()
    }
}

async fn start(test: &TestAuth, from: Origin) -> Result<DeviceCodes, AuthError> {
    test.auth
        .oauth()
        .device_authorization(None, None, from)
        .await
}

#[tokio::test]
async fn honest_device_signs_in_during_a_flood() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, ada) = test.sign_in("ada").await;
    let honest = start(&test, origin()).await.unwrap();
    for host in 1..=25 {
        for network in 1..=50 {
            start(&test, from(network, host)).await.unwrap();
        }
    }
    let late = start(
        &test,
        Origin {
            address: IpAddr::from([203, 0, 113, 9]),
            ..origin()
        },
    )
    .await
    .unwrap();
    for codes in [honest, late] {
        let input = codes.user_code.expose();
        let pending = test
            .auth
            .oauth()
            .lookup_user_code(&ada, &input, &origin())
            .await
            .unwrap();
        test.auth
            .oauth()
            .decide_device(&ada, &input, &pending.id, Decision::Approve, &origin())
            .await
            .unwrap();
        test.auth
            .oauth()
            .device_token(codes.device_code.expose(), None, origin())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn flooding_network_evicts_its_own_oldest_code() {
    let test = test_auth().await;
    let oldest = start(&test, from(1, 1)).await.unwrap();
    for host in 1..=25 {
        for network in 1..=50 {
            start(&test, from(network, host)).await.unwrap();
        }
    }
    let answer = test
        .auth
        .oauth()
        .device_token(oldest.device_code.expose(), None, from(1, 1))
        .await;
    assert!(matches!(
        answer,
        Err(AuthError::Token(TokenError::OAuth(OAuthError::InvalidCode)))
    ));
}
