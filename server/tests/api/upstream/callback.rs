//! The callback: login state, `iss` (RFC 9207) and mix-up of two providers.

use auth::upstream::UnknownUsers;
use serde_json::json;
use server::{ConfigSource, config::ProviderSection};

use super::{UpstreamBrowser, expect_forbidden, set_cookie_pair, set_metadata, signed_in_username};
use crate::{app::TestApp, mock_provider::MockProvider};

#[tokio::test(flavor = "multi_thread")]
async fn oidc_callback_works_once_in_its_own_browser() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    let (victim, thief) = (UpstreamBrowser::new(&app), UpstreamBrowser::new(&app));
    let begun_by_thief = thief.start_login(&provider, "/").await;
    let own = victim.start_login(&provider, "/").await;
    for (state, jar) in [
        (&begun_by_thief.state, &own.cookie),
        (&begun_by_thief.state, &String::new()),
    ] {
        let answer = victim.callback(state, jar).await;
        assert_eq!(answer.status(), 403, "{}", answer.text);
        assert!(set_cookie_pair(&answer, "strongroom").is_none());
    }
    *provider.nonce.lock().unwrap() = String::new();
    assert!(
        provider.forms.lock().unwrap().is_empty(),
        "no code went to the provider"
    );
    let left = thief.start_login(&provider, "/").await;
    assert_eq!(
        thief.callback(&left.state, &left.cookie).await.status(),
        303
    );
    assert_eq!(
        thief.callback(&left.state, &left.cookie).await.status(),
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn callback_with_wrong_iss_is_rejected_before_exchange() {
    let provider = MockProvider::start().await;
    set_metadata(
        &provider,
        &json!({"authorization_response_iss_parameter_supported": true}),
    );
    let app = provider.start_app(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    let browser = UpstreamBrowser::new(&app);
    let back = async |iss: Option<&str>| {
        let left = browser.start_login(&provider, "/").await;
        let iss = iss.map(|iss| format!("&iss={iss}")).unwrap_or_default();
        browser
            .callback(&format!("{}{iss}", left.state), &left.cookie)
            .await
    };
    expect_forbidden(&back(Some("https://evil.example")).await, "another");
    expect_forbidden(
        &back(Some(&format!("{}/", provider.issuer))).await,
        "an almost equal issuer",
    );
    expect_forbidden(
        &back(None).await,
        "no iss, although the metadata promises it",
    );
    assert!(
        provider.forms.lock().unwrap().is_empty(),
        "no code went to the provider"
    );
    let issuer = provider.issuer.clone();
    assert_eq!(
        signed_in_username(&browser, &back(Some(&issuer)).await).await,
        "ada"
    );
}

/// Two providers, one of them malicious: its response at the callback of the other, and the
/// reverse.
#[tokio::test(flavor = "multi_thread")]
async fn provider_mix_up_is_rejected() {
    let (honest, thief) = (MockProvider::start().await, MockProvider::start().await);
    let second = ProviderSection {
        id: "thief".to_owned(),
        ..thief.section(UnknownUsers::Provision)
    };
    let sections = vec![honest.section(UnknownUsers::Provision), second];
    let app = TestApp::with_settings(ConfigSource {
        providers: Some(sections),
        ..ConfigSource::default()
    })
    .await;
    let (client, browser) = (app.anonymous(), UpstreamBrowser::new(&app));
    let departed = client.get("/auth/oidc/thief").await.expect_status(303);
    let url = reqwest::Url::parse(departed.header("location").unwrap()).unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let jar = set_cookie_pair(&departed, "strongroom-departure").unwrap();
    expect_forbidden(
        &browser.callback(&state, &jar).await,
        "a response of the malicious provider at the other's callback",
    );
    let left = browser.start_login(&honest, "/").await;
    let request = client.get_request(&format!(
        "/auth/oidc/thief/callback?code=abc&state={}",
        left.state
    ));
    expect_forbidden(
        &client.send(request.header("cookie", &left.cookie)).await,
        "a response of the honest provider at the malicious one's callback",
    );
    for provider in [&honest, &thief] {
        assert!(
            provider.forms.lock().unwrap().is_empty(),
            "no code was sent to a provider"
        );
    }
    // A subject is unique per provider: the same subject at the malicious one is another user.
    honest.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&honest).await).await,
        "ada"
    );
    thief.set_claims(json!({"sub": "1", "iss": honest.issuer, "preferred_username": "ada"}));
    *thief.nonce.lock().unwrap() = url
        .query_pairs()
        .find(|(name, _)| name == "nonce")
        .unwrap()
        .1
        .into_owned();
    let request = client.get_request(&format!("/auth/oidc/thief/callback?code=abc&state={state}"));
    expect_forbidden(
        &client.send(request.header("cookie", &jar)).await,
        "an ID token with the honest provider as issuer",
    );
}
