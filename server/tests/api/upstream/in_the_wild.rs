//! Answers of providers as they are met: Zitadel, Auth0, Cognito, Azure, Authelia.

use auth::upstream::UnknownUsers;
use serde_json::{Value, json};

use super::{UpstreamBrowser, expect_forbidden, set_metadata, signed_in_username};
use crate::mock_provider::MockProvider;

/// The username that a new identity with these claims gets.
async fn username_after_sign_in(provider: &MockProvider, claims: Value) -> String {
    let app = provider.start_app(UnknownUsers::Provision).await;
    provider.set_claims(claims);
    let browser = UpstreamBrowser::new(&app);
    signed_in_username(&browser, &browser.sign_in(provider).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn several_audiences_with_own_party_sign_in() {
    let provider = MockProvider::start().await;
    let claims = json!({"sub": "1", "preferred_username": "ada",
        "aud": ["strongroom", "329836626744180738"], "azp": "strongroom"});
    assert_eq!(username_after_sign_in(&provider, claims).await, "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_tokens_of_loose_types_sign_in() {
    let provider = MockProvider::start().await;
    let loose = [
        ("expires_in", json!("3600")),
        ("token_type", json!("bearer")),
    ];
    provider
        .misbehaviour
        .lock()
        .unwrap()
        .token_response
        .extend(loose.map(|(name, value)| (name.to_owned(), value)));
    let claims = json!({"sub": "1", "preferred_username": "ada",
        "updated_at": "2026-11-30T20:00:00.000Z", "email": "ada@example.org", "email_verified": "true"});
    assert_eq!(username_after_sign_in(&provider, claims).await, "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_discovery_members_may_be_invalid() {
    let provider = MockProvider::start().await;
    set_metadata(
        &provider,
        &json!({"op_policy_uri": "", "service_documentation": "/docs", "claims_supported": "all",
            "response_types_supported": 7, "userinfo_endpoint": ""}),
    );
    let claims = json!({"sub": "1", "preferred_username": "ada"});
    assert_eq!(username_after_sign_in(&provider, claims).await, "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn client_authentication_follows_the_metadata() {
    for (offered, posted) in [
        (json!(["client_secret_post"]), true),
        (json!(["client_secret_post", "client_secret_basic"]), false),
        (json!(null), false),
    ] {
        let provider = MockProvider::start().await;
        set_metadata(
            &provider,
            &json!({"token_endpoint_auth_methods_supported": offered}),
        );
        let claims = json!({"sub": "1", "preferred_username": "ada"});
        assert_eq!(username_after_sign_in(&provider, claims).await, "ada");
        let form = provider.forms.lock().unwrap().pop().unwrap();
        let secret = form.iter().find(|(name, _)| name == "client_secret");
        assert_eq!(
            secret.map(|(_, secret)| secret.as_str()),
            posted.then_some("its secret"),
            "{offered}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_without_usable_client_authentication_is_named() {
    let provider = MockProvider::start().await;
    set_metadata(
        &provider,
        &json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}),
    );
    let app = provider.start_app(UnknownUsers::Provision).await;
    let answer = app
        .anonymous()
        .get("/auth/oidc/work?next=/account")
        .await
        .expect_status(502);
    let sentence = "The provider was reached, but its answer cannot be used.";
    assert!(answer.text.contains(sentence), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_names_come_from_userinfo_of_same_subject() {
    let provider = MockProvider::start().await;
    let userinfo_endpoint = format!("{}/userinfo", provider.issuer);
    set_metadata(&provider, &json!({"userinfo_endpoint": userinfo_endpoint}));
    let answer_with = |claims: Value| {
        provider.misbehaviour.lock().unwrap().userinfo = Some(claims);
    };
    answer_with(json!({"sub": "1", "preferred_username": "ada", "name": "Ada"}));
    let username = username_after_sign_in(&provider, json!({"sub": "1"})).await;
    assert_eq!(username, "ada");

    let app = provider.start_app(UnknownUsers::Provision).await;
    answer_with(json!({"sub": "2", "preferred_username": "eve"}));
    let browser = UpstreamBrowser::new(&app);
    expect_forbidden(&browser.sign_in(&provider).await, "userinfo of another");
}
