//! Sign-in through an upstream provider, with a mock provider. Providers and networks may be
//! malicious.

mod callback;
mod faulty_provider;
mod forgery;
mod id_token;
mod in_the_wild;
mod linking;
mod sign_in;

use auth::upstream::UnknownUsers;
use serde_json::Value;
use server::ConfigSource;

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse},
    mock_provider::MockProvider,
};

impl MockProvider {
    pub(crate) async fn start_app(&self, unknown_users: UnknownUsers) -> TestApp {
        let settings = ConfigSource {
            providers: Some(vec![self.section(unknown_users)]),
            ..ConfigSource::default()
        };
        TestApp::with_settings(settings).await
    }
}

/// A browser that stores cookies and follows no redirects.
pub(crate) struct UpstreamBrowser {
    pub(crate) client: Client,
}

/// The result of starting a login: the state in the URL, and the cookie.
pub(crate) struct StartedLogin {
    pub(crate) state: String,
    pub(crate) cookie: String,
}

impl UpstreamBrowser {
    pub(crate) fn new(app: &TestApp) -> Self {
        Self {
            client: app.anonymous(),
        }
    }

    pub(crate) async fn start_login(&self, provider: &MockProvider, next: &str) -> StartedLogin {
        let answer = self
            .client
            .get(&format!("/auth/oidc/work?next={next}"))
            .await
            .expect_status(303);
        started_login(provider, answer.header("location").unwrap(), &answer)
    }

    pub(crate) async fn callback(&self, state: &str, cookie: &str) -> TestResponse {
        let request = self
            .client
            .get_request(&format!("/auth/oidc/work/callback?code=abc&state={state}"));
        self.client
            .send(
                request
                    .header("cookie", cookie)
                    .header("accept", "text/html"),
            )
            .await
    }

    pub(crate) async fn sign_in(&self, provider: &MockProvider) -> TestResponse {
        let left = self.start_login(provider, "/account").await;
        self.callback(&left.state, &left.cookie).await
    }
}

fn started_login(provider: &MockProvider, location: &str, answer: &TestResponse) -> StartedLogin {
    let url = reqwest::Url::parse(location).unwrap();
    assert!(
        location.starts_with(&format!("{}/authorize?", provider.issuer)),
        "{location}"
    );
    let query = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .into_owned()
    };
    assert_eq!(
        (query("response_type"), query("code_challenge_method")),
        ("code".to_owned(), "S256".to_owned())
    );
    assert_eq!(
        query("redirect_uri"),
        "http://strongroom.test/auth/oidc/work/callback"
    );
    *provider.nonce.lock().unwrap() = query("nonce");
    StartedLogin {
        state: query("state"),
        cookie: set_cookie_pair(answer, "strongroom-departure").unwrap(),
    }
}

pub(crate) fn set_cookie_pair(answer: &TestResponse, name: &str) -> Option<String> {
    let cookies = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap());
    let pair = cookies
        .filter_map(|cookie| cookie.split(';').next())
        .find(|pair| pair.starts_with(&format!("{name}=")))?;
    Some(pair.to_owned())
}

/// The username of the session after that response.
pub(crate) async fn signed_in_username(browser: &UpstreamBrowser, answer: &TestResponse) -> String {
    assert_eq!(answer.status(), 303, "{}", answer.text);
    let session = set_cookie_pair(answer, "strongroom").unwrap();
    let me = browser
        .client
        .send(
            browser
                .client
                .get_request("/auth/me")
                .header("cookie", session),
        )
        .await
        .expect_status(200);
    me.body["username"].as_str().unwrap().to_owned()
}

impl UpstreamBrowser {
    /// Signs in with the password on the page. Returns the session cookie.
    async fn sign_in_with_password(&self, username: &str) -> String {
        let form = [("username", username), ("password", PASSWORD)];
        let request = self
            .client
            .post_request("/sign-in")
            .header("sec-fetch-site", "same-origin")
            .form(&form);
        set_cookie_pair(
            &self.client.send(request).await.expect_status(303),
            "strongroom",
        )
        .unwrap()
    }

    async fn post_with_cookie(&self, path: &str, session: &str) -> TestResponse {
        let request = self
            .client
            .post_request(path)
            .header("sec-fetch-site", "same-origin");
        self.client.send(request.header("cookie", session)).await
    }

    /// Starts a login to link a provider account.
    async fn start_link(&self, provider: &MockProvider, session: &str) -> StartedLogin {
        let answer = self
            .post_with_cookie("/auth/oidc/work/link", session)
            .await
            .expect_status(200);
        let location = answer.body["location"].as_str().unwrap();
        assert!(location.contains("prompt=login"), "{location}");
        started_login(provider, location, &answer)
    }
}

/// Signs ada in with her password on the page, and links the provider account to hers.
async fn link_identity(app: &TestApp, provider: &MockProvider, username: &str) -> TestResponse {
    let browser = UpstreamBrowser::new(app);
    let session = browser.sign_in_with_password(username).await;
    let left = browser.start_link(provider, &session).await;
    browser
        .callback(&left.state, &format!("{session}; {}", left.cookie))
        .await
}

#[track_caller]
fn expect_forbidden(answer: &TestResponse, why: &str) {
    assert_eq!(answer.status(), 403, "{why}: {}", answer.text);
    assert!(
        set_cookie_pair(answer, "strongroom").is_none_or(|cookie| cookie == "strongroom="),
        "{why}"
    );
}

fn set_metadata(provider: &MockProvider, metadata: &Value) {
    provider
        .misbehaviour
        .lock()
        .unwrap()
        .metadata
        .clone_from(metadata.as_object().unwrap());
}
