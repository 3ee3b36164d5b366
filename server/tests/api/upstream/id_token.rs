//! ID tokens with a wrong claim or a forged signature. `OpenID` Connect Core §3.1.3.7.

use auth::upstream::UnknownUsers;
use serde_json::json;

use super::{
    UpstreamBrowser, expect_forbidden, forgery::forgeries, set_metadata, signed_in_username,
};
use crate::mock_provider::{MockProvider, uptime};

#[tokio::test(flavor = "multi_thread")]
async fn id_token_with_wrong_claims_is_rejected() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let past = uptime() - 3600;
    for wrong in [
        json!({"sub": "1", "aud": "another program"}),
        json!({"sub": "1", "iss": "https://evil.example"}),
        json!({"sub": "1", "exp": past}),
        json!({"sub": "1", "nonce": "of another sign-in"}),
        json!({"sub": 1}),
        json!({}),
    ] {
        provider.set_claims(wrong.clone());
        let answer = UpstreamBrowser::new(&app).sign_in(&provider).await;
        assert_eq!(answer.status(), 403, "{wrong}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn id_token_with_invalid_claim_is_rejected() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let (browser, now) = (UpstreamBrowser::new(&app), uptime());
    for wrong in [
        json!({"azp": "another program"}),
        json!({"aud": ["strongroom", "another program"]}),
        json!({"aud": ["strongroom", "another program"], "azp": "another program"}),
        json!({"auth_time": now + 3600}),
        json!({"auth_time": "yesterday"}),
        json!({"aud": []}),
        json!({"aud": null}),
        json!({"iss": null}),
        json!({"iss": format!("{}/", provider.issuer)}),
        json!({"exp": now - 1}),
        json!({"exp": null}),
        json!({"iat": now + 3600}),
        json!({"iat": null}),
        json!({"nonce": null}),
        json!({"nonce": ""}),
        json!({"sub": null}),
    ] {
        let mut claims = json!({"sub": "1", "preferred_username": "ada"});
        claims
            .as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        provider.set_claims(claims);
        expect_forbidden(&browser.sign_in(&provider).await, &wrong.to_string());
    }
    provider.set_claims(
        json!({"sub": "1", "preferred_username": "ada", "azp": "strongroom", "aud": ["strongroom"], "iat": now + 60}),
    );
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "ada"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_id_token_is_rejected() {
    let provider = MockProvider::start().await;
    // The metadata claims support for every algorithm. The server ignores that claim.
    let all = ["none", "HS256", "RS256", "ES256", "ES384", "EdDSA"];
    set_metadata(
        &provider,
        &json!({"id_token_signing_alg_values_supported": all}),
    );
    let app = provider.start_app(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    let browser = UpstreamBrowser::new(&app);
    for (what, forger) in forgeries(&provider) {
        provider.misbehaviour.lock().unwrap().id_token = Some(forger);
        expect_forbidden(&browser.sign_in(&provider).await, what);
    }
    provider.misbehaviour.lock().unwrap().id_token = None;
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "ada"
    );
}
