//! A passkey as second factor, and for step-up authentication.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{ORIGIN, editor_with_passkey, get_with_cookie, passkey_app, set_cookie_pair};
use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse},
    passkey_device::{TestAuthenticator, USER_PRESENT},
};

/// A browser with a correct password and a pending second factor.
struct PendingMfa {
    client: Client,
    cookie: String,
}

impl PendingMfa {
    async fn start(app: &TestApp, name: &str) -> Self {
        let client = app.anonymous();
        let form = [("username", name), ("password", PASSWORD)];
        let sent = client
            .post_request("/sign-in")
            .header("sec-fetch-site", "same-origin")
            .form(&form);
        let answer = client.send(sent).await.expect_status(303);
        assert!(
            answer
                .header("location")
                .unwrap()
                .starts_with("/sign-in/second"),
            "{:?}",
            answer.headers
        );
        assert!(
            set_cookie_pair(&answer, "__Host-strongroom").is_none(),
            "signed in by the password alone"
        );
        Self {
            cookie: set_cookie_pair(&answer, "__Host-strongroom-second").unwrap(),
            client,
        }
    }

    async fn post(&self, path: &str, body: Value) -> TestResponse {
        let request = self
            .client
            .post_request(path)
            .header("sec-fetch-site", "same-origin")
            .header("cookie", &self.cookie);
        self.client
            .send(if body.is_null() {
                request
            } else {
                request.json(&body)
            })
            .await
    }

    async fn options(&self) -> Value {
        self.post("/auth/passkeys/second-step/options", Value::Null)
            .await
            .expect_status(200)
            .body
    }

    async fn finish(&self, ceremony: &Value, credential: &Value) -> TestResponse {
        let body = json!({"ceremony": ceremony, "credential": credential});
        self.post("/auth/passkeys/second-step", body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_completes_sign_in_after_password() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let ada = PendingMfa::start(&app, "ada").await;
    let asked = ada.options().await;
    assert_eq!(
        asked["publicKey"]["allowCredentials"][0]["id"],
        crate::passkey_device::base64url(&phone.id)
    );
    let credential = phone.get_assertion(&asked["publicKey"]);
    let signed_in = ada
        .finish(&asked["ceremony"], &credential)
        .await
        .expect_status(204);
    let me = get_with_cookie(&app, &signed_in, "/auth/me")
        .await
        .expect_status(200);
    assert_eq!(me.body["mfa"], true);
    // An assertion works once.
    ada.finish(&asked["ceremony"], &credential)
        .await
        .expect_status(401);
    // Without the password no sign-in is pending.
    let anonymous = PendingMfa {
        client: app.anonymous(),
        cookie: "x=y".to_owned(),
    };
    anonymous
        .post("/auth/passkeys/second-step/options", Value::Null)
        .await
        .expect_status(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_of_another_account_is_no_second_factor() {
    let app = passkey_app().await;
    let (_, mut ada) = editor_with_passkey(&app, "ada").await;
    let (_, mut eve) = editor_with_passkey(&app, "eve").await;
    // Eve knows Ada's password.
    let pending = PendingMfa::start(&app, "ada").await;
    let asked = pending.options().await;
    pending
        .finish(&asked["ceremony"], &eve.get_assertion(&asked["publicKey"]))
        .await
        .expect_status(401);
    let asked = pending.options().await;
    (eve.id, eve.handle) = (ada.id.clone(), ada.handle.clone());
    pending
        .finish(&asked["ceremony"], &eve.get_assertion(&asked["publicKey"]))
        .await
        .expect_status(401);
    // Ada's assertion for her own sign-in does not match this one.
    let own = PendingMfa::start(&app, "ada").await;
    let theirs = own.options().await;
    let credential = ada.get_assertion(&theirs["publicKey"]);
    pending
        .finish(&theirs["ceremony"], &credential)
        .await
        .expect_status(410);
    // Her assertion for a passkey-only sign-in does not match either.
    let asked = pending.options().await;
    pending
        .finish(&asked["ceremony"], &credential)
        .await
        .expect_status(401);
    // A wrong assertion leaves the sign-in pending.
    let asked = pending.options().await;
    pending
        .finish(&asked["ceremony"], &ada.get_assertion(&asked["publicKey"]))
        .await
        .expect_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_step_up_renews_recent_authentication() {
    let app = passkey_app().await;
    let (ada, mut phone) = editor_with_passkey(&app, "ada").await;
    app.advance_clock(Duration::from_mins(11));
    let path = format!(
        "/auth/passkeys/{}",
        crate::passkey_device::base64url(&phone.id)
    );
    let rename = || {
        ada.request_builder(Method::PATCH, &path)
            .json(&json!({"name": "Blue phone"}))
    };
    ada.send(rename()).await.expect_status(401);
    let options = || async {
        ada.post("/auth/passkeys/step-up/options", Value::Null)
            .await
            .expect_status(200)
            .body
    };
    // An authenticator without user verification, and an unknown key.
    let asked = options().await;
    phone.flags = USER_PRESENT;
    let unchecked = json!({"ceremony": asked["ceremony"], "credential": phone.get_assertion(&asked["publicKey"])});
    ada.post("/auth/passkeys/step-up", unchecked)
        .await
        .expect_status(403);
    phone.flags |= crate::passkey_device::USER_VERIFIED;
    let asked = options().await;
    let strange = TestAuthenticator::new(ORIGIN).get_assertion(&asked["publicKey"]);
    ada.post(
        "/auth/passkeys/step-up",
        json!({"ceremony": asked["ceremony"], "credential": strange}),
    )
    .await
    .expect_status(403);
    let asked = options().await;
    let body = json!({"ceremony": asked["ceremony"], "credential": phone.get_assertion(&asked["publicKey"])});
    ada.send(rename()).await.expect_status(401);
    let confirmed = ada
        .post("/auth/passkeys/step-up", body.clone())
        .await
        .expect_status(200);
    assert!(
        confirmed.body["access_token"].is_string(),
        "{}",
        confirmed.text
    );
    ada.send(rename()).await.expect_status(200);
    ada.post("/auth/passkeys/step-up", body)
        .await
        .expect_status(410);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_step_up_requires_a_registered_passkey() {
    let app = passkey_app().await;
    let ada = app.editor("ada").await;
    ada.post("/auth/passkeys/step-up/options", Value::Null)
        .await
        .expect_status(404);
    let (eve, _) = editor_with_passkey(&app, "eve").await;
    let asked = eve
        .post("/auth/passkeys/step-up/options", Value::Null)
        .await
        .expect_status(200)
        .body;
    let body = json!({"ceremony": asked["ceremony"], "credential": TestAuthenticator::new(ORIGIN).get_assertion(&asked["publicKey"])});
    ada.post("/auth/passkeys/step-up", body)
        .await
        .expect_status(410);
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_mfa_sign_in_ends_with_other_sessions() {
    let app = passkey_app().await;
    let (owner, mut phone) = editor_with_passkey(&app, "ada").await;
    let thief = PendingMfa::start(&app, "ada").await;
    let asked = thief.options().await;
    let credential = phone.get_assertion(&asked["publicKey"]);
    owner
        .post("/auth/sessions/end-others", Value::Null)
        .await
        .expect_status(200);
    thief
        .finish(&asked["ceremony"], &credential)
        .await
        .expect_status(401);
    // A code does not replace the passkey.
    let codes = owner
        .post("/auth/recovery-codes", Value::Null)
        .await
        .expect_status(201)
        .body;
    let form = [("code", codes["recovery_codes"][0].as_str().unwrap())];
    let sent = thief
        .client
        .post_request("/sign-in/second")
        .header("sec-fetch-site", "same-origin")
        .header("cookie", &thief.cookie);
    let answer = thief.client.send(sent.form(&form)).await.expect_status(303);
    assert!(
        set_cookie_pair(&answer, "__Host-strongroom").is_none(),
        "{answer:?}"
    );
}
