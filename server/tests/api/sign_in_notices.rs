//! Notices of unusual sign-ins, on the page and by mail.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse},
    both,
};

const DAY: Duration = Duration::from_hours(24);
const KNOWN_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0";

async fn sign_in_from_agent(app: &TestApp, password: &str, program: &str) -> TestResponse {
    let form = [("username", "ada"), ("password", password)];
    app.anonymous()
        .send(
            app.anonymous()
                .post_request("/auth/token")
                .form(&form)
                .header("user-agent", program),
        )
        .await
}

/// Registers with an e-mail address.
async fn register_ada(app: &TestApp) -> Client {
    app.register_with_verified_email("ada").await;
    client_from(
        app,
        &sign_in_from_agent(app, PASSWORD, KNOWN_AGENT)
            .await
            .expect_status(200),
    )
}

fn client_from(app: &TestApp, answer: &TestResponse) -> Client {
    Client {
        token: Some(answer.body["access_token"].as_str().unwrap().to_owned()),
        ..app.anonymous()
    }
}

async fn security_page(client: &Client) -> String {
    client
        .send(
            client
                .get_request("/account/security")
                .header("accept", "text/html"),
        )
        .await
        .expect_status(200)
        .text
}

async fn newest_sign_in(client: &Client) -> Value {
    let entries = client
        .get("/auth/audit?action=sign_in")
        .await
        .expect_status(200)
        .body;
    entries
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["action"] == "sign_in")
        .unwrap()["facts"]
        .clone()
}

both! {
    async fn sign_in_after_long_absence_is_mailed(app: TestApp) {
        register_ada(&app).await;
        app.advance_clock(DAY * 89);
        let ada = client_from(&app, &sign_in_from_agent(&app, PASSWORD, KNOWN_AGENT).await.expect_status(200));
        assert_eq!(newest_sign_in(&ada).await["days_away"], Value::Null, "89 days are none");
        app.advance_clock(DAY * 91);
        let ada = client_from(&app, &sign_in_from_agent(&app, PASSWORD, KNOWN_AGENT).await.expect_status(200));
        assert_eq!(newest_sign_in(&ada).await["days_away"], 91);
        let page = security_page(&ada).await;
        assert!(page.contains("You signed in, for the first time in 91 days") && page.contains("After long absence"), "{page}");
        let mail = app.wait_for_mail("ada@example.org", 1).await;
        assert_eq!(mail.subject, "Sign-in after a long absence");
    }

    async fn sign_in_after_many_failures_is_mailed_once(app: TestApp) {
        register_ada(&app).await;
        for tries in 0..7 {
            app.advance_clock(Duration::from_mins(16));
            assert_eq!(sign_in_from_agent(&app, "wrong wrong wrong", KNOWN_AGENT).await.status(), 401, "{tries}");
        }
        app.advance_clock(Duration::from_mins(16));
        let ada = client_from(&app, &sign_in_from_agent(&app, PASSWORD, KNOWN_AGENT).await.expect_status(200));
        assert_eq!(newest_sign_in(&ada).await["refused_before"], 7);
        let page = security_page(&ada).await;
        assert!(page.contains("You signed in, after 7 failed attempts") && page.contains("After failed attempts"), "{page}");
        assert_eq!(app.wait_for_mail("ada@example.org", 1).await.subject, "Sign-in after failed attempts");
        let ada = client_from(&app, &sign_in_from_agent(&app, PASSWORD, KNOWN_AGENT).await.expect_status(200));
        assert_eq!(newest_sign_in(&ada).await["refused_before"], Value::Null, "reported once");
    }

    async fn failures_before_registration_are_not_reported(app: TestApp) {
        for _ in 0..6 {
            app.advance_clock(Duration::from_mins(16));
            assert_eq!(sign_in_from_agent(&app, "wrong wrong wrong", KNOWN_AGENT).await.status(), 401);
        }
        app.advance_clock(Duration::from_mins(16));
        assert_eq!(newest_sign_in(&register_ada(&app).await).await["refused_before"], Value::Null);
    }

    async fn pending_mfa_from_new_device_is_mailed_once(app: TestApp) {
        let owner = register_ada(&app).await;
        let (phone, _) = crate::totp::enroll_totp(&app, &owner).await;
        let before = app.wait_for_mail("ada@example.org", 1).await.subject;
        assert_eq!(before, "A second factor was added");
        assert_eq!(sign_in_from_agent(&app, PASSWORD, KNOWN_AGENT).await.expect_status(401).body["error"], "mfa_required");
        for _ in 0..5 {
            sign_in_from_agent(&app, PASSWORD, "curl/8").await.expect_status(401);
        }
        app.advance_clock(Duration::from_mins(6));
        let lines: Vec<_> = app.wait_for_mail("ada@example.org", 2).await.text.lines().map(ToOwned::to_owned).collect();
        assert!(lines.iter().any(|line| line.contains("correct password")), "{lines:?}");
        assert_eq!(app.mails().into_iter().filter(|mail| mail.subject == "Your password was used on a new device").count(), 1);
        app.advance_clock(Duration::from_mins(1));
        let again = crate::totp::sign_in_with_otp(&app, "ada", Some(&phone.shows(&app, 0))).await.expect_status(200);
        let own = client_from(&app, &again);
        let pending = own.get("/auth/audit?action=sign_in.half_way").await.expect_status(200).body;
        let new: Vec<_> = pending.as_array().unwrap().iter().map(|entry| entry["facts"]["new_device"] == true).collect();
        assert_eq!(new, [true, true, true, true, true, false]);
        assert!(security_page(&own).await.contains("Correct password for your account, second factor pending"));
    }

    async fn personal_token_expiry_is_mailed_once(app: TestApp) {
        let ada = register_ada(&app).await;
        let make = async |name: &str, days: u32| {
            let wanted = json!({"name": name, "scopes": ["files:read"], "expires_in_days": days});
            ada.post("/auth/tokens", wanted).await.expect_status(201);
        };
        make("nightly backup", 30).await;
        make("for today", 7).await;
        make("long", 90).await;
        let about = |app: &TestApp| app.mails().into_iter().filter(|mail| mail.subject.contains("expires soon")).collect::<Vec<_>>();
        app.advance_clock(DAY * 22);
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(about(&app).len(), 0, "eight days before is too early, and a one-week token gets no mail");
        app.advance_clock(DAY);
        for _ in 0..300 {
            if !about(&app).is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mail = about(&app).remove(0);
        assert!(mail.to == "ada@example.org" && mail.text.contains("nightly backup"), "{mail:?}");
        let app = app.restart().await;
        app.advance_clock(DAY);
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(about(&app).len(), 1, "one mail, even after a restart");
        let again = client_from(&app, &sign_in_from_agent(&app, PASSWORD, KNOWN_AGENT).await.expect_status(200));
        let page = again.send(again.get_request("/account/tokens").header("accept", "text/html")).await.expect_status(200).text;
        assert_eq!(page.matches("Expires soon").count(), 1, "{page}");
    }
}
