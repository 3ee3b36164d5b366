//! Linking a provider identity to an account, unlinking it, and step-up through it.

use auth::upstream::UnknownUsers;
use serde_json::{Value, json};

use super::{UpstreamBrowser, link_identity, set_cookie_pair, signed_in_username, started_login};
use crate::{
    app::TestResponse,
    mock_provider::{MockProvider, uptime},
};

#[tokio::test(flavor = "multi_thread")]
async fn provider_identity_is_linked_and_unlinked_in_session() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Reject).await;
    let ada = app.editor("ada").await;
    app.editor("bob").await;
    provider.set_claims(json!({"sub": "17", "preferred_username": "ada"}));
    let joined = link_identity(&app, &provider, "ada").await;
    assert_eq!(
        (joined.status(), joined.header("location")),
        (303, Some("/account")),
        "{}",
        joined.text
    );
    let browser = UpstreamBrowser::new(&app);
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "ada"
    );
    assert_eq!(link_identity(&app, &provider, "bob").await.status(), 409);
    let list = ada.get("/auth/identities").await.expect_status(200);
    let id = list.body["identities"][0]["id"].as_str().unwrap();
    let bob = app.sign_in("bob").await;
    bob.send(bob.delete_request(&format!("/auth/identities/{id}")))
        .await
        .expect_status(403);
    ada.send(ada.delete_request(&format!("/auth/identities/{id}")))
        .await
        .expect_status(204);
    assert_eq!(browser.sign_in(&provider).await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_link_callback_requires_a_session() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Reject).await;
    let ada = app.editor("ada").await;
    let answer = ada
        .post("/auth/oidc/work/link", Value::Null)
        .await
        .expect_status(200);
    let left = started_login(
        &provider,
        answer.body["location"].as_str().unwrap(),
        &answer,
    );
    provider.set_claims(json!({"sub": "17"}));
    assert_eq!(
        UpstreamBrowser::new(&app)
            .callback(&left.state, &left.cookie)
            .await
            .status(),
        403
    );
    assert_eq!(
        ada.get("/auth/identities").await.expect_status(200).body["identities"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_link_from_older_epoch_or_session_fails() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Reject).await;
    app.editor("ada").await;
    let browser = UpstreamBrowser::new(&app);
    let session = browser.sign_in_with_password("ada").await;
    // A thief started a login in ada's browser and kept the callback URL.
    let left = browser.start_link(&provider, &session).await;
    browser
        .post_with_cookie("/auth/sessions/end-others", &session)
        .await
        .expect_status(200);
    let back = browser
        .callback(&left.state, &format!("{session}; {}", left.cookie))
        .await;
    assert_eq!(
        back.status(),
        403,
        "the same session, in another security epoch: {}",
        back.text
    );
    let left = browser.start_link(&provider, &session).await;
    let again = browser.sign_in_with_password("ada").await;
    let back = browser
        .callback(&left.state, &format!("{again}; {}", left.cookie))
        .await;
    assert_eq!(
        back.status(),
        403,
        "another session of the same account: {}",
        back.text
    );
    assert_eq!(
        app.sign_in("ada")
            .await
            .get("/auth/identities")
            .await
            .expect_status(200)
            .body["identities"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn factor_reset_unlinks_the_provider_identity() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Reject).await;
    let root = app.administrator("root").await;
    app.editor("ada").await;
    provider.set_claims(json!({"sub": "thief", "auth_time": uptime()}));
    link_identity(&app, &provider, "ada")
        .await
        .expect_status(303);
    let browser = UpstreamBrowser::new(&app);
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "ada"
    );
    root.post(
        "/api/users/ada/recover",
        json!({"reason": "somebody else was in"}),
    )
    .await
    .expect_status(204);
    let refused = browser.sign_in(&provider).await;
    assert_eq!(refused.status(), 403, "{}", refused.text);
    assert!(set_cookie_pair(&refused, "strongroom").is_none());
    let entries = root
        .get("/api/audit?action=provider.unlinked")
        .await
        .expect_status(200);
    assert_eq!(entries.body[0]["subject"], "ada", "{}", entries.text);
    app.sign_in("ada").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_account_steps_up_at_its_provider() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let browser = UpstreamBrowser::new(&app);
    let session = |answer: &TestResponse| set_cookie_pair(answer, "strongroom").unwrap();
    let needs = async |session: String| {
        browser
            .client
            .send(
                browser
                    .client
                    .get_request("/auth/step-up")
                    .header("cookie", session),
            )
            .await
            .expect_status(200)
            .body
    };
    provider.set_claims(
        json!({"sub": "17", "preferred_username": "ada", "auth_time": uptime() - 3_600}),
    );
    let old = session(&browser.sign_in(&provider).await.expect_status(303));
    let known = needs(old.clone()).await;
    assert_eq!(
        (&known["recent"], &known["providers"]),
        (&json!(false), &json!([{"id": "work", "name": "Work"}]))
    );
    provider.set_claims(json!({"sub": "17", "auth_time": uptime()}));
    let answer = browser
        .client
        .get("/auth/oidc/work?again=1&next=/account%3Ftab%3D2")
        .await
        .expect_status(303);
    let left = started_login(&provider, answer.header("location").unwrap(), &answer);
    let back = browser
        .callback(&left.state, &format!("{old}; {}", left.cookie))
        .await
        .expect_status(303);
    assert_eq!(back.header("location"), Some("/account?tab=2"));
    // The session stays the same.
    assert_eq!(set_cookie_pair(&back, "strongroom"), None);
    assert_eq!(needs(old).await["recent"], true);
    let root = app.administrator("root").await;
    assert_eq!(
        root.get("/auth/step-up").await.expect_status(200).body["providers"],
        json!([])
    );
}
