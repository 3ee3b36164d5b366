//! Passkeys of other accounts, and what failures reveal.

use serde_json::{Value, json};
use server::ConfigSource;

use crate::passkeys::{
    ORIGIN, editor_with_passkey, passkey_app, register_passkey, set_cookie_pair,
    sign_in_with_passkey,
};
use crate::{
    app::{Client, TestApp},
    passkey_device::TestAuthenticator,
};

#[tokio::test(flavor = "multi_thread")]
async fn failed_passkey_sign_ins_are_indistinguishable() {
    let app = passkey_app().await;
    let root = app.administrator("root").await;
    let (_, mut disabled) = editor_with_passkey(&app, "ben").await;
    let (_, mut wrong) = editor_with_passkey(&app, "ada").await;
    let mut unknown = TestAuthenticator::new(ORIGIN);
    unknown.handle = vec![7; 16];
    let change = root
        .request_builder(reqwest::Method::PATCH, "/api/users/ben")
        .json(&json!({"disabled": true}));
    root.send(change).await.expect_status(200);
    wrong.origin = "https://evil.example".to_owned();
    let mut answers = Vec::new();
    for device in [&mut unknown, &mut disabled, &mut wrong] {
        let mut answer = sign_in_with_passkey(&app, device).await.expect_status(401);
        answer.body.as_object_mut().unwrap().remove("request_id");
        for own in ["x-request-id", "date"] {
            answer.headers.remove(own);
        }
        answers.push((answer.body.to_string(), format!("{:?}", answer.headers)));
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_sign_in_options_do_not_reveal_accounts() {
    let app = passkey_app().await;
    editor_with_passkey(&app, "ada").await;
    let client = app.anonymous();
    let mut shapes = Vec::new();
    for body in [
        Value::Null,
        json!({"username": "ada"}),
        json!({"username": "nobody"}),
    ] {
        let request = client
            .post_request("/auth/passkeys/sign-in/options")
            .header("sec-fetch-site", "same-origin");
        let mut asked = client
            .send(if body.is_null() {
                request
            } else {
                request.json(&body)
            })
            .await
            .expect_status(200)
            .body;
        asked["ceremony"] = json!("");
        asked["publicKey"]["challenge"] = json!("");
        shapes.push(asked);
    }
    assert!(
        shapes.iter().all(|shape| *shape == shapes[0]),
        "{shapes:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_cannot_sign_in_to_another_account() {
    let app = passkey_app().await;
    let (_, ada) = editor_with_passkey(&app, "ada").await;
    let (_, mut eve) = editor_with_passkey(&app, "eve").await;
    let (id, handle) = (eve.id.clone(), eve.handle.clone());
    eve.handle.clone_from(&ada.handle);
    sign_in_with_passkey(&app, &mut eve)
        .await
        .expect_status(401);
    eve.handle = Vec::new();
    sign_in_with_passkey(&app, &mut eve)
        .await
        .expect_status(401);
    // Ada's credential id, signed with Eve's key.
    (eve.id, eve.handle) = (ada.id.clone(), ada.handle.clone());
    sign_in_with_passkey(&app, &mut eve)
        .await
        .expect_status(401);
    (eve.id, eve.handle) = (id, handle);
    sign_in_with_passkey(&app, &mut eve)
        .await
        .expect_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_cannot_be_changed_by_another_account() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let eve = app.editor("eve").await;
    register_passkey(&eve, &mut phone, "Mine now")
        .await
        .expect_status(409);
    let path = format!(
        "/auth/passkeys/{}",
        crate::passkey_device::base64url(&phone.id)
    );
    eve.send(
        eve.request_builder(reqwest::Method::PATCH, &path)
            .json(&json!({"name": "x"})),
    )
    .await
    .expect_status(404);
    eve.send(eve.delete_request(&path)).await.expect_status(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_passkey_attempts_throttle_only_their_network() {
    let settings = ConfigSource {
        public_url: Some(ORIGIN.to_owned()),
        trusted_proxies: Some(vec!["127.0.0.1".parse().unwrap()]),
        ..ConfigSource::default()
    };
    let app = TestApp::with_settings(settings).await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let mut forged = TestAuthenticator::new(ORIGIN);
    (forged.id, forged.handle) = (phone.id.clone(), phone.handle.clone());
    let mut refused = 0;
    for _ in 0..300 {
        let Some(status) = sign_in_from_address("203.0.113.9", &app, &mut forged).await else {
            refused += 1;
            break;
        };
        assert_eq!(status, 401);
    }
    assert_eq!(refused, 1, "the attacker was not throttled");
    assert_eq!(
        sign_in_from_address("198.51.100.4", &app, &mut phone).await,
        Some(204)
    );
}

/// An attempt from an address; `None` if the address is throttled.
async fn sign_in_from_address(
    address: &str,
    app: &TestApp,
    device: &mut TestAuthenticator,
) -> Option<u16> {
    let client: Client = app.anonymous();
    let request = |path| {
        client
            .post_request(path)
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", address)
    };
    let asked = client.send(request("/auth/passkeys/sign-in/options")).await;
    if asked.status() == 429 {
        return None;
    }
    let body = json!({"ceremony": asked.body["ceremony"], "credential": device.get_assertion(&asked.body["publicKey"])});
    let cookie = set_cookie_pair(&asked, "__Host-strongroom-browser").unwrap();
    let answer = client
        .send(
            request("/auth/passkeys/sign-in")
                .header("cookie", cookie)
                .json(&body),
        )
        .await;
    Some(answer.status()).filter(|status| *status != 429)
}
