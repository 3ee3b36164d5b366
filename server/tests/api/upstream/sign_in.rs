//! Sign-in through a provider: accounts, second factor, return path.

use auth::upstream::UnknownUsers;
use serde_json::json;

use super::{UpstreamBrowser, link_identity, set_cookie_pair, signed_in_username};
use crate::{app::PASSWORD, mock_provider::MockProvider};

#[tokio::test(flavor = "multi_thread")]
async fn provider_sign_in_provisions_one_account() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let browser = UpstreamBrowser::new(&app);
    provider
        .set_claims(json!({"sub": "17", "preferred_username": "Ada L.", "name": "Ada Lovelace"}));
    let first = browser.sign_in(&provider).await;
    assert_eq!(signed_in_username(&browser, &first).await, "adal.");
    assert_eq!(first.header("location"), Some("/account"));
    let again = browser.sign_in(&provider).await;
    assert_eq!(signed_in_username(&browser, &again).await, "adal.");
    let form = provider.forms.lock().unwrap().remove(0);
    let verifier = form
        .iter()
        .find(|(name, _)| name == "code_verifier")
        .unwrap();
    assert_eq!(verifier.1.len(), 43);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_provider_identity_is_rejected_without_provisioning() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Reject).await;
    provider.set_claims(json!({"sub": "17", "preferred_username": "ada"}));
    let answer = UpstreamBrowser::new(&app).sign_in(&provider).await;
    assert_eq!(answer.status(), 403, "{}", answer.text);
    assert!(answer.text.contains("connected") && set_cookie_pair(&answer, "strongroom").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_email_never_links_an_existing_account() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let body = json!({"username": "ada", "password": PASSWORD, "email": "ada@example.org"});
    app.anonymous()
        .post("/auth/register", body)
        .await
        .expect_status(201);
    for verified in [false, true] {
        let sub = format!("thief-{verified}");
        provider.set_claims(json!({
            "sub": sub, "preferred_username": "ada", "email": "ada@example.org", "email_verified": verified,
        }));
        let browser = UpstreamBrowser::new(&app);
        let answer = browser.sign_in(&provider).await;
        let name = signed_in_username(&browser, &answer).await;
        assert!(name.starts_with("ada") && name != "ada", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_username_change_does_not_switch_accounts() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let browser = UpstreamBrowser::new(&app);
    provider.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "ada"
    );
    provider.set_claims(json!({"sub": "2", "preferred_username": "bob"}));
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "bob"
    );
    // Usernames change at the provider; the linked accounts stay the same.
    provider.set_claims(json!({"sub": "1", "preferred_username": "bob"}));
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "ada"
    );
    provider.set_claims(json!({"sub": "2", "preferred_username": "ada"}));
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "bob"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_account_cannot_sign_in_through_provider() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let root = app.administrator("root").await;
    let browser = UpstreamBrowser::new(&app);
    provider.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    browser.sign_in(&provider).await.expect_status(303);
    root.send(
        root.request_builder(reqwest::Method::PATCH, "/api/users/ada")
            .json(&json!({"disabled": true})),
    )
    .await
    .expect_status(200);
    let answer = browser.sign_in(&provider).await;
    assert_eq!(answer.status(), 403, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_sign_in_requires_the_second_factor() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Reject).await;
    let ada = app.editor("ada").await;
    provider.set_claims(json!({"sub": "17"}));
    link_identity(&app, &provider, "ada")
        .await
        .expect_status(303);
    crate::totp::enroll_totp(&app, &ada).await;
    let browser = UpstreamBrowser::new(&app);
    let answer = browser.sign_in(&provider).await.expect_status(303);
    assert!(
        set_cookie_pair(&answer, "strongroom").is_none_or(|cookie| cookie == "strongroom="),
        "no session yet"
    );
    assert!(
        answer
            .header("location")
            .unwrap()
            .starts_with("/sign-in/second"),
        "{answer:?}"
    );
}
