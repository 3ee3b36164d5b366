//! Passkeys over HTTP, with a software authenticator: their use and attacks on them.

mod attacks;
pub(crate) mod malformed_input;
mod management;
mod mfa;

use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use server::ConfigSource;

use crate::{
    app::{Client, TestApp, TestResponse},
    passkey_device::TestAuthenticator,
};

pub(crate) const ORIGIN: &str = "https://files.example.org";

pub(crate) async fn passkey_app() -> TestApp {
    TestApp::with_settings(ConfigSource {
        public_url: Some(ORIGIN.to_owned()),
        ..ConfigSource::default()
    })
    .await
}

/// Registers a passkey, from the options to the response.
pub(crate) async fn register_passkey(
    person: &Client,
    device: &mut TestAuthenticator,
    name: &str,
) -> TestResponse {
    let asked = person
        .post("/auth/passkeys/options", Value::Null)
        .await
        .expect_status(200);
    let credential = device.create_credential(&asked.body["publicKey"]);
    let body = json!({"ceremony": asked.body["ceremony"], "name": name, "credential": credential});
    person.post("/auth/passkeys", body).await
}

/// An editor with one passkey, and the device that stores it.
pub(crate) async fn editor_with_passkey(app: &TestApp, name: &str) -> (Client, TestAuthenticator) {
    let person = app.editor(name).await;
    let mut device = TestAuthenticator::new(ORIGIN);
    register_passkey(&person, &mut device, "Phone")
        .await
        .expect_status(201);
    (person, device)
}

/// A browser that has requested sign-in options.
pub(crate) struct PasskeyBrowser {
    pub(crate) client: Client,
    pub(crate) cookie: String,
    pub(crate) ceremony: Value,
    pub(crate) options: Value,
}

impl PasskeyBrowser {
    pub(crate) async fn start_sign_in(app: &TestApp) -> Self {
        let client = app.anonymous();
        let request = client
            .post_request("/auth/passkeys/sign-in/options")
            .header("sec-fetch-site", "same-origin");
        let asked = client.send(request).await.expect_status(200);
        let (ceremony, options) = (
            asked.body["ceremony"].clone(),
            asked.body["publicKey"].clone(),
        );
        Self {
            cookie: set_cookie_pair(&asked, "__Host-strongroom-browser").unwrap(),
            client,
            ceremony,
            options,
        }
    }

    pub(crate) async fn finish_sign_in(&self, credential: &Value) -> TestResponse {
        let body = json!({"ceremony": self.ceremony, "credential": credential});
        let request = self
            .client
            .post_request("/auth/passkeys/sign-in")
            .header("sec-fetch-site", "same-origin");
        self.client
            .send(request.header("cookie", &self.cookie).json(&body))
            .await
    }
}

pub(crate) async fn sign_in_with_passkey(
    app: &TestApp,
    device: &mut TestAuthenticator,
) -> TestResponse {
    let browser = PasskeyBrowser::start_sign_in(app).await;
    let credential = device.get_assertion(&browser.options);
    browser.finish_sign_in(&credential).await
}

/// `name=value` of a cookie in the response.
pub(crate) fn set_cookie_pair(answer: &TestResponse, name: &str) -> Option<String> {
    let set = answer
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    set.filter_map(|line| line.split(';').next())
        .find(|pair| pair.starts_with(&format!("{name}=")))
        .map(str::to_owned)
}

/// A request with the cookie of a sign-in.
pub(crate) async fn get_with_cookie(
    app: &TestApp,
    signed_in: &TestResponse,
    path: &str,
) -> TestResponse {
    let cookie = set_cookie_pair(signed_in, "__Host-strongroom").unwrap();
    let client = app.anonymous();
    client
        .send(client.get_request(path).header("cookie", cookie))
        .await
}
