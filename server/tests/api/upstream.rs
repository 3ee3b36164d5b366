//! Sign-in through an upstream provider, with a mock provider.

use auth::upstream::UnknownUsers;
use serde_json::{Value, json};
use server::{ConfigSource, config::ProviderSection};

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse},
    mock_provider::{MockProvider, uptime},
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
async fn unavailable_provider_returns_502_and_next_stays_local() {
    let provider = MockProvider::start().await;
    let gone = ProviderSection {
        issuer: "http://127.0.0.1:9".to_owned(),
        ..provider.section(UnknownUsers::Provision)
    };
    let app = TestApp::with_settings(ConfigSource {
        providers: Some(vec![gone]),
        ..ConfigSource::default()
    })
    .await;
    let answer = app
        .anonymous()
        .get("/auth/oidc/work")
        .await
        .expect_status(502);
    assert!(answer.text.contains("cannot be reached"), "{}", answer.text);
    app.anonymous()
        .get("/auth/oidc/nobody")
        .await
        .expect_status(404);
    let app = provider.start_app(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1"}));
    let browser = UpstreamBrowser::new(&app);
    let left = browser
        .start_login(&provider, "https%3A%2F%2Fevil.example")
        .await;
    let answer = browser
        .callback(&left.state, &left.cookie)
        .await
        .expect_status(303);
    assert_eq!(answer.header("location"), Some("/"));
    let denied = app
        .anonymous()
        .get("/auth/oidc/work/callback?error=%3Cscript%3E&state=x")
        .await;
    assert_eq!(denied.status(), 403);
    assert!(!denied.text.contains("<script>"));
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
