//! Passkeys over HTTP, with a software authenticator: their use and attacks on them.

mod attacks;
pub(crate) mod garbage;
mod own;
mod second;

use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use server::ConfigSource;

use crate::{
    app::{Answer, Client, TestApp},
    device::Device,
};

pub(crate) const ORIGIN: &str = "https://files.example.org";

pub(crate) async fn app() -> TestApp {
    TestApp::with(ConfigSource {
        public_url: Some(ORIGIN.to_owned()),
        ..ConfigSource::default()
    })
    .await
}

/// Registers a passkey, from the options to the response.
pub(crate) async fn add(person: &Client, device: &mut Device, name: &str) -> Answer {
    let asked = person
        .tell("/auth/passkeys/options", Value::Null)
        .await
        .is(200);
    let credential = device.create(&asked.body["publicKey"]);
    let body = json!({"ceremony": asked.body["ceremony"], "name": name, "credential": credential});
    person.tell("/auth/passkeys", body).await
}

/// An editor with one passkey, and the device that stores it.
pub(crate) async fn owner(app: &TestApp, name: &str) -> (Client, Device) {
    let person = app.editor(name).await;
    let mut device = Device::at(ORIGIN);
    add(&person, &mut device, "Phone").await.is(201);
    (person, device)
}

/// A browser that has requested sign-in options.
pub(crate) struct Browser {
    pub(crate) client: Client,
    pub(crate) cookie: String,
    pub(crate) ceremony: Value,
    pub(crate) options: Value,
}

impl Browser {
    pub(crate) async fn about_to_sign_in(app: &TestApp) -> Self {
        let client = app.anonymous();
        let request = client
            .post("/auth/passkeys/sign-in/options")
            .header("sec-fetch-site", "same-origin");
        let asked = client.ask(request).await.is(200);
        let (ceremony, options) = (
            asked.body["ceremony"].clone(),
            asked.body["publicKey"].clone(),
        );
        Self {
            cookie: cookie(&asked, "__Host-strongroom-browser").unwrap(),
            client,
            ceremony,
            options,
        }
    }

    pub(crate) async fn shows(&self, credential: &Value) -> Answer {
        let body = json!({"ceremony": self.ceremony, "credential": credential});
        let request = self
            .client
            .post("/auth/passkeys/sign-in")
            .header("sec-fetch-site", "same-origin");
        self.client
            .ask(request.header("cookie", &self.cookie).json(&body))
            .await
    }
}

pub(crate) async fn sign_in(app: &TestApp, device: &mut Device) -> Answer {
    let browser = Browser::about_to_sign_in(app).await;
    let credential = device.get(&browser.options);
    browser.shows(&credential).await
}

/// `name=value` of a cookie in the response.
pub(crate) fn cookie(answer: &Answer, name: &str) -> Option<String> {
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
pub(crate) async fn with_cookie(app: &TestApp, signed_in: &Answer, path: &str) -> Answer {
    let cookie = cookie(signed_in, "__Host-strongroom").unwrap();
    let client = app.anonymous();
    client.ask(client.get(path).header("cookie", cookie)).await
}
