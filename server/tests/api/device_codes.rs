//! The device authorization grant (RFC 8628).

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    accounts::with_scope,
    app::{Client, PASSWORD, TestApp, TestResponse},
    both, personal_tokens,
};

const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device with a user code.
struct TestDevice {
    client: Client,
    code: String,
    user_code: String,
}

impl TestDevice {
    async fn start(app: &TestApp, form: &[(&str, &str)]) -> Self {
        let client = app.anonymous();
        let body = client
            .send(client.post_request("/auth/device").form(form))
            .await
            .expect_status(200)
            .body;
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Self {
            code: text("device_code"),
            user_code: text("user_code"),
            client,
        }
    }

    async fn poll(&self) -> TestResponse {
        let form = [
            ("grant_type", DEVICE_CODE_GRANT),
            ("device_code", &self.code),
            ("client_id", "strongroom-cli"),
        ];
        self.client
            .send(self.client.post_request("/auth/token").form(&form))
            .await
    }

    async fn expect_error(&self, error: &str) {
        let answer = self.poll().await.expect_status(400);
        assert_eq!(
            (&answer.body["error"], answer.header("cache-control")),
            (&json!(error), Some("no-store"))
        );
    }
}

async fn look_up(person: &Client, code: &str) -> TestResponse {
    person
        .post("/auth/device/look", json!({"user_code": code}))
        .await
}

async fn submit_decision(
    person: &Client,
    code: &str,
    request: &Value,
    decision: &str,
) -> TestResponse {
    person
        .post(
            "/auth/device/decide",
            json!({"user_code": code, "request": request, "decision": decision}),
        )
        .await
}

/// Looks up the request and approves it.
async fn approve(person: &Client, device: &TestDevice) {
    let seen = look_up(person, &device.user_code).await.expect_status(200);
    submit_decision(person, &device.user_code, &seen.body["request"], "approve")
        .await
        .expect_status(204);
}

both! {
    async fn device_is_authorized_by_approving_its_user_code(app: TestApp) {
        let ada = app.editor("ada").await;
        let device = TestDevice::start(&app, &[]).await;
        device.expect_error("authorization_pending").await;
        let seen = look_up(&ada, &device.user_code.to_lowercase().replace('-', " ")).await.expect_status(200).body;
        assert_eq!((&seen["user_code"], &seen["program"]), (&json!(device.user_code), &json!("Strongroom on the command line")));
        assert_eq!(seen["scopes"], json!(["files:read", "files:write", "locks:override"]));
        assert_eq!(seen["address"], "127.0.0.1");
        submit_decision(&ada, &device.user_code, &seen["request"], "approve").await.expect_status(204);
        app.advance_clock(Duration::from_secs(5));
        let tokens = device.poll().await.expect_status(200);
        assert_eq!((&tokens.body["token_type"], &tokens.body["scope"]), (&json!("bearer"), &json!("files:read files:write locks:override")));
        let cli = Client { token: tokens.body["access_token"].as_str().map(str::to_owned), ..app.anonymous() };
        let me = cli.get("/auth/me").await.expect_status(200).body;
        assert_eq!((&me["username"], &me["scopes"]), (&json!("ada"), &json!(["files:read", "files:write", "locks:override"])));
        cli.add("a.nc", b"x").await.expect_status(201);
        // Only the requested scope, and never the account.
        for path in ["/auth/sessions", "/auth/tokens", "/api/users"] {
            cli.get(path).await.expect_status(403);
        }
        let listed = ada.get("/auth/sessions").await.expect_status(200).body;
        assert_eq!(listed.as_array().unwrap().len(), 2);
        // A device code works once.
        app.advance_clock(Duration::from_secs(5));
        device.expect_error("invalid_grant").await;
        look_up(&ada, &device.user_code).await.expect_status(404);
    }

    async fn approved_device_is_denied_after_security_epoch_change(app: TestApp) {
        for (n, way) in ["others ended", "a new password", "factors"].into_iter().enumerate() {
            let ada = app.editor(&format!("ada{n}")).await;
            let device = TestDevice::start(&app, &[]).await;
            approve(&ada, &device).await;
            match way {
                "others ended" => drop(ada.post("/auth/sessions/end-others", Value::Null).await.expect_status(200)),
                "a new password" => {
                    let change = json!({"current_password": PASSWORD, "new_password": "seven copper kettles sing"});
                    ada.send(ada.put_request("/auth/me/password").json(&change)).await.expect_status(204);
                }
                _ => drop(crate::totp::enroll_totp(&app, &ada).await),
            }
            app.advance_clock(Duration::from_secs(5));
            device.expect_error("access_denied").await;
            // An earlier approval does not cover a new request.
            let device = TestDevice::start(&app, &[]).await;
            approve(&ada, &device).await;
            app.advance_clock(Duration::from_secs(5));
            device.poll().await.expect_status(200);
        }
    }

    async fn device_authorization_response_follows_rfc_8628(app: TestApp) {
        let anonymous = app.anonymous();
        let answer = anonymous.send(anonymous.post_request("/auth/device").form(&[("scope", "files:read")])).await.expect_status(200);
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
        let body = answer.body;
        let code = body["user_code"].as_str().unwrap();
        assert!(code.len() == 9 && code.bytes().all(|b| b == b'-' || b"BCDFGHJKLMNPQRSTVWXZ".contains(&b)), "{code}");
        assert_eq!(body["verification_uri"], "http://strongroom.test/device");
        assert_eq!(body["verification_uri_complete"], format!("http://strongroom.test/device?user_code={code}"));
        assert_eq!((&body["expires_in"], &body["interval"]), (&json!(600), &json!(5)));
        for (form, error) in [
            (vec![("client_id", "unheard-of")], "invalid_client"), (vec![("scope", "account")], "invalid_scope"),
            (vec![("scope", "files:read account")], "invalid_scope"), (vec![("scope", "root")], "invalid_scope"),
        ] {
            assert_eq!(anonymous.send(anonymous.post_request("/auth/device").form(&form)).await.expect_status(400).body["error"], error, "{form:?}");
        }
        for form in [[("grant_type", DEVICE_CODE_GRANT), ("device_code", "sr_dc_x")], [("grant_type", DEVICE_CODE_GRANT), ("device_code", "")]] {
            anonymous.send(anonymous.post_request("/auth/token").form(&form)).await.expect_status(400);
        }
    }

    async fn device_polling_too_fast_gets_slow_down(app: TestApp) {
        app.editor("ada").await;
        let device = TestDevice::start(&app, &[]).await;
        device.expect_error("authorization_pending").await;
        app.advance_clock(Duration::from_secs(3));
        device.expect_error("slow_down").await;
        app.advance_clock(Duration::from_secs(8));
        device.expect_error("slow_down").await;
        app.advance_clock(Duration::from_secs(14));
        device.expect_error("slow_down").await;
        app.advance_clock(Duration::from_secs(20));
        device.expect_error("authorization_pending").await;
    }

    async fn denied_or_expired_device_gets_its_error(app: TestApp) {
        let ada = app.editor("ada").await;
        let device = TestDevice::start(&app, &[]).await;
        let seen = look_up(&ada, &device.user_code).await.expect_status(200);
        submit_decision(&ada, &device.user_code, &seen.body["request"], "deny").await.expect_status(204);
        device.expect_error("access_denied").await;
        submit_decision(&ada, &device.user_code, &seen.body["request"], "approve").await.expect_status(404);
        let late = TestDevice::start(&app, &[]).await;
        app.advance_clock(Duration::from_mins(10));
        late.expect_error("expired_token").await;
        look_up(&app.sign_in("ada").await, &late.user_code).await.expect_status(404);
        app.advance_clock(Duration::from_mins(10));
        late.expect_error("invalid_grant").await;
    }

    async fn device_scope_cannot_exceed_the_approving_token(app: TestApp) {
        let narrow = with_scope(&app.administrator("root").await, "files:read account").await;
        for (scope, answer) in [("admin", 400), ("files:read files:write", 400), ("files:read", 204)] {
            let device = TestDevice::start(&app, &[("scope", scope)]).await;
            let seen = look_up(&narrow, &device.user_code).await.expect_status(200);
            let rejected = submit_decision(&narrow, &device.user_code, &seen.body["request"], "approve").await.expect_status(answer);
            if answer == 204 {
                assert_eq!(device.poll().await.expect_status(200).body["scope"], "files:read");
            } else {
                assert_eq!(rejected.body["error"], "invalid_scope");
                device.expect_error("authorization_pending").await;
            }
        }
    }

    async fn device_approval_requires_the_account_that_looked(app: TestApp) {
        let (ada, mallory) = (app.editor("ada").await, app.editor("mallory").await);
        let device = TestDevice::start(&app, &[("scope", "files:read")]).await;
        let code = device.user_code.as_str();
        // A decision without a lookup fails, whatever its request id.
        for request in [json!(""), json!("0"), json!("0".repeat(16))] {
            submit_decision(&mallory, code, &request, "approve").await.expect_status(404);
        }
        let seen = look_up(&ada, code).await.expect_status(200).body["request"].clone();
        // Ada's lookup binds the request. Another user cannot find it, even with her request id.
        look_up(&mallory, code).await.expect_status(404);
        submit_decision(&mallory, code, &seen, "approve").await.expect_status(404);
        submit_decision(&mallory, code, &seen, "deny").await.expect_status(404);
        // A decision applies to the request that was looked up.
        let other = TestDevice::start(&app, &[("scope", "admin")]).await;
        let other_seen = look_up(&ada, &other.user_code).await.expect_status(200).body["request"].clone();
        submit_decision(&ada, &other.user_code, &seen, "approve").await.expect_status(404);
        submit_decision(&ada, code, &other_seen, "approve").await.expect_status(404);
        // An anonymous caller and a personal token cannot decide.
        submit_decision(&app.anonymous(), code, &seen, "approve").await.expect_status(401);
        let script = personal_tokens::token_client(&ada, json!(["files:read", "files:write", "locks:override", "admin"]), Value::Null).await;
        look_up(&script, code).await.expect_status(403);
        submit_decision(&script, code, &seen, "approve").await.expect_status(403);
        // Another site cannot decide through her browser.
        let form = [("username", "ada"), ("password", PASSWORD)];
        let anonymous = app.anonymous();
        let cookie = anonymous.send(anonymous.post_request("/sign-in").header("sec-fetch-site", "same-origin").form(&form)).await.expect_status(303);
        let cookie = cookie.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let body = json!({"user_code": code, "request": seen, "decision": "approve"});
        let by_cookie = |site: &'static str| -> RequestBuilder {
            anonymous.request_builder(Method::POST, "/auth/device/decide").header("cookie", &cookie).header("sec-fetch-site", site).json(&body)
        };
        for site in ["cross-site", "same-site", "none"] {
            anonymous.send(by_cookie(site)).await.expect_status(403);
        }
        device.expect_error("authorization_pending").await;
        // Approval requires a recent sign-in; denial does not.
        app.advance_clock(Duration::from_mins(9));
        assert_eq!(submit_decision(&ada, code, &seen, "approve").await.status(), 204);
        let late = TestDevice::start(&app, &[]).await;
        let seen = look_up(&ada, &late.user_code).await.expect_status(200).body["request"].clone();
        app.advance_clock(Duration::from_mins(2));
        let refused = submit_decision(&ada, &late.user_code, &seen, "approve").await.expect_status(401);
        assert_eq!(refused.body["error"], "insufficient_user_authentication");
        submit_decision(&ada, &late.user_code, &seen, "deny").await.expect_status(204);
    }

    async fn authorized_device_cannot_authorize_another(app: TestApp) {
        let ada = app.editor("ada").await;
        let first = TestDevice::start(&app, &[("scope", "files:read files:write locks:override admin")]).await;
        approve(&ada, &first).await;
        let tokens = first.poll().await.expect_status(200);
        let first = Client { token: tokens.body["access_token"].as_str().map(str::to_owned), ..app.anonymous() };
        let second = TestDevice::start(&app, &[]).await;
        look_up(&first, &second.user_code).await.expect_status(403);
        personal_tokens::create_token(&first, json!(["files:read"]), Value::Null).await.expect_status(403);
    }

    async fn sixth_wrong_user_code_is_throttled(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        let device = TestDevice::start(&app, &[]).await;
        let wrong = if device.user_code == "BBBB-BBBB" { "CCCC-CCCC" } else { "BBBB-BBBB" };
        for _ in 0..5 {
            look_up(&ada, wrong).await.expect_status(404);
        }
        let refused = look_up(&ada, &device.user_code).await.expect_status(429);
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
        // The limit holds for other endpoints and after a restart. It does not affect other users.
        submit_decision(&ada, &device.user_code, &json!("x"), "approve").await.expect_status(429);
        let app = app.restart().await;
        let at = |client: Client| Client { base: app.url(""), ..client };
        let (ada, bob) = (at(ada), at(bob));
        look_up(&ada, &device.user_code).await.expect_status(429);
        look_up(&bob, &device.user_code).await.expect_status(200);
        app.advance_clock(Duration::from_mins(16));
        let ada = app.sign_in("ada").await;
        look_up(&ada, wrong).await.expect_status(404);
    }

    async fn parallel_device_polls_yield_tokens_once(app: TestApp) {
        let ada = app.editor("ada").await;
        let device = std::sync::Arc::new(TestDevice::start(&app, &[]).await);
        approve(&ada, &device).await;
        let mut polls = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let device = device.clone();
            polls.spawn(async move { device.poll().await.status() });
        }
        let answers = polls.join_all().await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
        assert_eq!(ada.get("/auth/sessions").await.expect_status(200).body.as_array().unwrap().len(), 2);
    }

    async fn device_is_denied_when_approver_signs_out(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        let device = TestDevice::start(&app, &[]).await;
        approve(&ada, &device).await;
        ada.post("/auth/logout", Value::Null).await.expect_status(204);
        device.expect_error("access_denied").await;
        let ada = app.sign_in("ada").await;
        let device = TestDevice::start(&app, &[]).await;
        approve(&ada, &device).await;
        root.send(root.request_builder(Method::PATCH, "/api/users/ada").json(&json!({"disabled": true}))).await.expect_status(200);
        device.expect_error("access_denied").await;
    }

    async fn pending_device_codes_are_limited_per_network(app: TestApp) {
        for _ in 0..20 {
            TestDevice::start(&app, &[]).await;
        }
        let anonymous = app.anonymous();
        let none: [(&str, &str); 0] = [];
        let refused = anonymous.send(anonymous.post_request("/auth/device").header("content-type", "application/x-www-form-urlencoded").form(&none)).await.expect_status(429);
        assert!(refused.header("retry-after").is_some());
        app.advance_clock(Duration::from_mins(10));
        TestDevice::start(&app, &[]).await;
    }

    async fn device_page_prefill_does_not_count_as_attempt(app: TestApp) {
        let ada = app.editor("ada").await;
        let page = |path: String| ada.send(ada.get_request(&path).header("accept", "text/html"));
        for _ in 0..7 {
            let page = page("/device?user_code=BBBB-BBBB%22%3E%3Cscript%3E".to_owned()).await.expect_status(200);
            assert!(page.text.contains("BBBB-BBBB") && !page.text.contains("\"><script>"));
        }
        let device = TestDevice::start(&app, &[]).await;
        look_up(&ada, &device.user_code).await.expect_status(200);
        let anonymous = app.anonymous();
        let sent = anonymous.send(anonymous.get_request("/device?user_code=BBBB-BBBB").header("accept", "text/html")).await.expect_status(303);
        assert_eq!(sent.header("location"), Some("/sign-in?next=%2Fdevice%3Fuser%5Fcode%3DBBBB%2DBBBB"));
    }
}
