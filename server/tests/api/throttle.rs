//! Password guessing and password spraying, and what administrators see of them.

use std::time::Duration;

use serde_json::{Value, json};
use server::{ConfigSource, config::SessionsSection};

use crate::{
    accounts::refresh_token,
    app::{Client, PASSWORD, TestApp, TestResponse},
    both, personal_tokens,
};

const WRONG_PASSWORD: &str = "this is not it at all";

impl Client {
    /// Signs in from `address`, through a trusted proxy.
    async fn password_grant_from(
        &self,
        address: &str,
        username: &str,
        password: &str,
    ) -> TestResponse {
        let form = [("username", username), ("password", password)];
        self.send(
            self.post_request("/auth/token")
                .header("x-forwarded-for", address)
                .form(&form),
        )
        .await
    }

    async fn fail_sign_in(&self, username: &str) -> TestResponse {
        let form = [("username", username), ("password", WRONG_PASSWORD)];
        self.send(self.post_request("/auth/token").form(&form))
            .await
    }

    /// Submits the sign-in form with the cookies of a browser.
    async fn sign_in_page_from(
        &self,
        address: &str,
        username: &str,
        password: &str,
        cookie: &str,
    ) -> TestResponse {
        let form = [("username", username), ("password", password)];
        let request = self
            .post_request("/sign-in")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", cookie);
        self.send(request.header("x-forwarded-for", address).form(&form))
            .await
    }
}

fn set_cookie(answer: &TestResponse, name: &str) -> Option<String> {
    let set = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok());
    set.filter_map(|set| set.split(';').next())
        .find(|set| set.starts_with(&format!("{name}=")))
        .map(str::to_owned)
}

pub(crate) fn trusted_proxy_settings() -> ConfigSource {
    ConfigSource {
        trusted_proxies: Some(vec!["127.0.0.1".parse().unwrap()]),
        ..ConfigSource::default()
    }
}

async fn lock_out(app: &TestApp, username: &str) {
    let anyone = app.anonymous();
    for n in 0..100 {
        anyone
            .password_grant_from(&format!("198.51.100.{n}"), username, WRONG_PASSWORD)
            .await
            .expect_status(401);
        app.advance_clock(Duration::from_mins(16));
    }
    anyone
        .password_grant_from("198.51.100.200", username, WRONG_PASSWORD)
        .await
        .expect_status(429);
}

both! {
    async fn throttled_sign_in_returns_429_with_retry_after(app: TestApp) {
        app.editor("ada").await;
        for username in ["ada", "nobody"] {
            for _ in 0..5 {
                app.anonymous().fail_sign_in(username).await.expect_status(401);
            }
            let refused = app.anonymous().fail_sign_in(username).await.expect_status(429);
            assert_eq!(refused.header("retry-after"), Some("1"));
            assert_eq!(refused.body["error"], "temporarily_unavailable");
        }
    }

    async fn administrator_lists_and_lifts_a_lockout(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        assert_eq!(root.get("/api/throttle").await.expect_status(200).body, json!([]));
        for _ in 0..5 {
            ada.fail_sign_in("ada").await.expect_status(401);
            ada.fail_sign_in("a-password-in-the-wrong-field").await.expect_status(401);
        }
        let listed = root.get("/api/throttle").await.expect_status(200).body;
        let listed = listed.as_array().unwrap();
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(listed[0]["account"], "ada");
        assert_eq!((&listed[0]["secret"], &listed[0]["from"]), (&json!("password"), &json!("network")));
        assert_eq!((&listed[0]["failures"], &listed[0]["state"]), (&json!(5), &json!("waiting")));
        ada.get("/api/throttle").await.expect_status(403);
        ada.send(ada.delete_request("/api/throttle/accounts/ada")).await.expect_status(403);
        root.send(root.delete_request("/api/throttle/accounts/Ada")).await.expect_status(204);
        root.send(root.delete_request("/api/throttle/accounts/ada")).await.expect_status(404);
        app.sign_in("ada").await;
        assert_eq!(root.get("/api/throttle").await.expect_status(200).body, json!([]));
    }

    async fn network_throttle_is_lifted_by_a_mapped_address(app: TestApp) {
        let root = app.administrator("root").await;
        // The bucket refills one failure every 3 s, and hashing takes time.
        let mut tried = 0;
        while app.anonymous().fail_sign_in(&format!("x{tried}")).await.status() == 401 {
            tried += 1;
        }
        assert!((100..200).contains(&tried), "{tried}");
        let listed = root.get("/api/throttle").await.expect_status(200).body;
        assert_eq!((&listed[0]["network"], &listed[0]["account"]), (&json!("127.0.0.1"), &Value::Null));
        root.send(root.delete_request("/api/throttle/networks/192.0.2.1")).await.expect_status(404);
        root.send(root.delete_request("/api/throttle/networks/nonsense")).await.expect_status(404);
        root.send(root.delete_request("/api/throttle/networks/::ffff:127.0.0.1")).await.expect_status(204);
        app.anonymous().fail_sign_in("y").await.expect_status(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throttle_survives_restart() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    for _ in 0..5 {
        app.anonymous().fail_sign_in("ada").await.expect_status(401);
    }
    let app = app.restart().await;
    // The test may take a second. The next attempt counts either way.
    let after = [
        app.anonymous().fail_sign_in("ada").await.status(),
        app.anonymous().fail_sign_in("ada").await.status(),
    ];
    assert!(after.contains(&429), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lockout_exempts_known_browser_and_network() {
    let app = TestApp::with_settings(trusted_proxy_settings()).await;
    app.editor("ada").await;
    let anyone = app.anonymous();
    let home = "203.0.113.7";
    let signed_in = anyone
        .sign_in_page_from(home, "ada", PASSWORD, "")
        .await
        .expect_status(303);
    let device = set_cookie(&signed_in, "strongroom-device").unwrap();
    lock_out(&app, "ada").await;
    anyone
        .password_grant_from("198.51.100.250", "ada", PASSWORD)
        .await
        .expect_status(429);
    anyone
        .sign_in_page_from("198.51.100.251", "ada", PASSWORD, &device)
        .await
        .expect_status(303);
    anyone
        .password_grant_from(home, "ada", PASSWORD)
        .await
        .expect_status(200);
    // It helps no other account, and needs its owner's token.
    app.editor("eve").await;
    lock_out(&app, "eve").await;
    anyone
        .sign_in_page_from("198.51.100.252", "eve", PASSWORD, &device)
        .await
        .expect_status(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn device_cookie_is_set_at_sign_in() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    let anyone = app.anonymous();
    let refused = anyone
        .sign_in_page_from("", "ada", WRONG_PASSWORD, "")
        .await
        .expect_status(401);
    assert_eq!(set_cookie(&refused, "strongroom-device"), None);
    let first = anyone
        .sign_in_page_from("", "ada", PASSWORD, "")
        .await
        .expect_status(303);
    let device = set_cookie(&first, "strongroom-device").unwrap();
    assert!(device.starts_with("strongroom-device=sr_dv_"));
    let again = anyone
        .sign_in_page_from("", "ada", PASSWORD, &device)
        .await
        .expect_status(303);
    assert_eq!(set_cookie(&again, "strongroom-device").unwrap(), device);
    let last = if device.ends_with('x') { 'y' } else { 'x' };
    let forged = format!("{}{last}", &device[..device.len() - 1]);
    let other = anyone
        .sign_in_page_from("", "ada", PASSWORD, &forged)
        .await
        .expect_status(303);
    assert_ne!(set_cookie(&other, "strongroom-device").unwrap(), forged);
    assert_eq!(
        set_cookie(
            &anyone
                .password_grant_from("", "ada", PASSWORD)
                .await
                .expect_status(200),
            "strongroom-device"
        ),
        None
    );
    let attributes = first
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let attributes = attributes
        .filter(|set| set.starts_with("strongroom-device="))
        .collect::<String>();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=15552000"] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spoofed_forwarded_header_does_not_bypass_throttle() {
    for settings in [ConfigSource::default(), trusted_proxy_settings()] {
        let trusts = settings.trusted_proxies.is_some();
        let app = TestApp::with_settings(settings).await;
        let mut tried = 0;
        loop {
            // The proxy appends to the right of the attacker's value.
            let spoofed = format!("10.1.2.{}", tried % 250);
            let header = if trusts {
                format!("{spoofed}, 203.0.113.7")
            } else {
                spoofed
            };
            let answer = app
                .anonymous()
                .password_grant_from(&header, &format!("x{tried}"), WRONG_PASSWORD)
                .await;
            if answer.status() == 429 {
                break;
            }
            tried += 1;
            assert!(tried < 200, "one new address per guess was never throttled");
        }
        assert!(tried >= 100, "{tried}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn username_variants_share_account_and_throttle() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    for twin in [
        "ADA",
        "Ada",
        "\u{430}da",
        "\u{ff41}da",
        "ada\u{200b}",
        "ad\u{e1}",
        "ada ",
    ] {
        let body = json!({"username": twin, "password": PASSWORD});
        let answer = app.anonymous().post("/auth/register", body).await;
        assert!(
            [409, 422].contains(&answer.status()),
            "{twin}: {}",
            answer.text
        );
    }
    for typed in ["ada", "ADA", "Ada", "aDa", "adA"] {
        app.anonymous().fail_sign_in(typed).await.expect_status(401);
    }
    app.anonymous().fail_sign_in("AdA").await.expect_status(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_refresh_token_attempts_are_throttled() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let dead = "sr_rt_".to_owned() + &"A".repeat(47);
    let form = |token: &str| {
        [
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", token.to_owned()),
        ]
    };
    // Malformed tokens cost nothing.
    for _ in 0..210 {
        ada.send(
            app.anonymous()
                .post_request("/auth/token")
                .form(&form(&dead)),
        )
        .await
        .expect_status(400);
    }
    let ended = ada.refresh.clone();
    ada.send(ada.post_request("/auth/logout"))
        .await
        .expect_status(204);
    let mut answers = Vec::new();
    for _ in 0..201 {
        answers.push(
            ada.send(
                app.anonymous()
                    .post_request("/auth/token")
                    .form(&form(&ended)),
            )
            .await
            .status(),
        );
    }
    assert_eq!((answers[0], answers[200]), (400, 429));
    // Revocation does not check guesses either. A valid token is still revoked.
    let revoke = |token: &str| {
        ada.send(
            app.anonymous()
                .post_request("/auth/revoke")
                .form(&[("token", token)]),
        )
    };
    revoke(&ended).await.expect_status(429);
    let stolen = app.sign_in("ada").await;
    revoke(&stolen.refresh).await.expect_status(200);
    stolen.get("/auth/me").await.expect_status(401);
    // Sign-in has its own count.
    app.sign_in("ada").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_token_flood_does_not_block_valid_tokens() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let script = personal_tokens::token_client(&ada, json!(["files:read"]), Value::Null).await;
    let dead = app.sign_in("ada").await;
    dead.send(dead.post_request("/auth/logout"))
        .await
        .expect_status(204);
    let mut last = 0;
    for _ in 0..200 {
        last = refresh_token(&dead, &dead.refresh).await.status();
    }
    assert_eq!(last, 429, "the flooding client is throttled");
    // The first use, so nothing is cached yet.
    script.get("/api/files").await.expect_status(200);
    refresh_token(&ada, &ada.refresh).await.expect_status(200);
    refresh_token(&dead, &dead.refresh).await.expect_status(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_request_rate_limit_is_per_session() {
    let sessions = SessionsSection {
        requests_per_minute: Some(60),
        ..SessionsSection::default()
    };
    let app = TestApp::with_settings(ConfigSource {
        sessions: Some(sessions),
        ..ConfigSource::default()
    })
    .await;
    let (greedy, other) = (app.editor("greedy").await, app.sign_in("greedy").await);
    let mut answers = Vec::new();
    for _ in 0..62 {
        answers.push(greedy.get("/api/files").await);
    }
    let refused = answers.pop().unwrap().expect_status(429);
    assert_eq!(refused.header("retry-after"), Some("1"));
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.starts_with("Too many requests"), "{detail}");
    // The 61st request may find that a second has passed.
    let last = answers.pop().unwrap().expect_status_in(&[200, 429]);
    assert!(last.header("retry-after").is_none_or(|wait| wait == "1"));
    assert!(answers.iter().all(|answer| answer.status() == 200));
    other.get("/api/files").await.expect_status(200);
    app.advance_clock(Duration::from_secs(2));
    greedy.get("/api/files").await.expect_status(200);
}
