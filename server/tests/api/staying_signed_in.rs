//! "Stay signed in", sessions that an administrator ended, and mails about the end of an account.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse, file_url},
    both,
    overrides::page,
};

const HOUR: Duration = Duration::from_hours(1);

async fn submit(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> TestResponse {
    let request = app
        .anonymous()
        .post_request(path)
        .header("origin", app.url(""));
    app.anonymous().send(request.form(fields)).await
}

/// The whole `Set-Cookie` line of the session.
fn session_line(answer: &TestResponse) -> String {
    let lines = answer.headers.get_all("set-cookie").iter();
    let mut lines = lines.map(|line| line.to_str().unwrap().to_owned());
    lines.find(|line| line.contains("sr_ws_")).unwrap()
}

fn cookie_of(answer: &TestResponse) -> String {
    session_line(answer).split(';').next().unwrap().to_owned()
}

async fn get(app: &TestApp, path: &str, cookie: &str) -> TestResponse {
    let request = app.anonymous().get_request(path).header("cookie", cookie);
    app.anonymous()
        .send(request.header("accept", "text/html"))
        .await
}

async fn change(root: &Client, name: &str, json: serde_json::Value) {
    let request = root.request_builder(Method::PATCH, &format!("/api/users/{name}"));
    root.send(request.json(&json)).await.expect_status(200);
}

both! {
    async fn session_outlives_browser_only_by_choice(app: TestApp) {
        app.editor("ada").await;
        let form = [("username", "ada"), ("password", PASSWORD)];
        let short = submit(&app, "/sign-in", &form).await.expect_status(303);
        assert!(!session_line(&short).contains("Max-Age"), "{}", session_line(&short));
        let long = submit(&app, "/sign-in", &[form[0], form[1], ("stay", "1")]).await.expect_status(303);
        assert!(session_line(&long).contains("Max-Age=7776000"), "{}", session_line(&long));
        let (short, long) = (cookie_of(&short), cookie_of(&long));
        let account = get(&app, "/account", &long).await.expect_status(200).text;
        assert_eq!(account.matches("data-tag=\"stays\"").count(), 1);
        app.advance_clock(HOUR * 11);
        get(&app, "/account", &short).await.expect_status(200);
        app.advance_clock(HOUR * 13);
        get(&app, "/account", &short).await.expect_status(303);
        app.advance_clock(HOUR * 24 * 12);
        get(&app, "/account", &long).await.expect_status(200);
        app.advance_clock(HOUR * 24 * 15);
        get(&app, "/account", &long).await.expect_status(303);
    }

    async fn second_factor_and_sign_up_carry_the_choice(app: TestApp) {
        let ada = app.editor("ada").await;
        let (phone, _) = crate::totp::enroll_totp(&app, &ada).await;
        app.advance_clock(Duration::from_mins(1));
        let first = submit(&app, "/sign-in", &[("username", "ada"), ("password", PASSWORD), ("stay", "1")]).await.expect_status(303);
        let cookies: Vec<_> = first.headers.get_all("set-cookie").iter()
            .map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned()).collect();
        let code = phone.shows(&app, 0);
        let second = app.anonymous().post_request("/sign-in/second").header("origin", app.url(""))
            .header("cookie", cookies.join("; ")).form(&[("otp", code.as_str())]);
        let signed_in = app.anonymous().send(second).await.expect_status(303);
        assert!(session_line(&signed_in).contains("Max-Age"));
        for (name, stay, is_kept) in [("ben", "1", true), ("eve", "", false)] {
            let made = submit(&app, "/sign-up", &[("username", name), ("password", PASSWORD), ("stay", stay)]).await.expect_status(303);
            assert_eq!(session_line(&made).contains("Max-Age"), is_kept, "{name}");
        }
    }

    async fn sign_in_page_shows_end_by_administrator(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        let signed_in = submit(&app, "/sign-in", &[("username", "ada"), ("password", PASSWORD)]).await.expect_status(303);
        let cookie = cookie_of(&signed_in);
        root.post("/api/users/ada/end-sessions", serde_json::Value::Null).await.expect_status(200);
        let ended = "An administrator has ended your session";
        assert!(get(&app, "/sign-in", &cookie).await.expect_status(200).text.contains(ended));
        for other in ["strongroom=sr_ws_unknown", "strongroom=", "other=1"] {
            assert!(!get(&app, "/sign-in", other).await.expect_status(200).text.contains(ended), "{other}");
        }
        let own = cookie_of(&submit(&app, "/sign-in", &[("username", "ada"), ("password", PASSWORD)]).await.expect_status(303));
        let out = app.anonymous().post_request("/sign-out").header("origin", app.url("")).header("cookie", &own);
        app.anonymous().send(out).await.expect_status(303);
        assert!(!get(&app, "/sign-in", &own).await.expect_status(200).text.contains(ended));
    }

    async fn end_of_account_is_mailed_once_and_rightly(app: TestApp) {
        let root = app.administrator("root").await;
        for name in ["ada", "ben", "eve"] {
            app.register_with_verified_email(name).await;
        }
        change(&root, "ada", json!({"disabled": true})).await;
        assert_eq!(app.wait_for_mail("ada@example.org", 1).await.subject, "Your account was disabled");
        change(&root, "ben", json!({"email": null})).await;
        assert_eq!(app.wait_for_mail("ben@example.org", 1).await.subject, "Your e-mail address was removed");
        root.send(root.delete_request("/api/users/eve")).await.expect_status(204);
        assert_eq!(app.wait_for_mail("eve@example.org", 1).await.subject, "Your account was deleted");
        assert_eq!(app.mails().len(), 3, "{:?}", app.mails());
    }

    async fn completed_sign_in_mails_no_password_notice(app: TestApp) {
        app.register_with_verified_email("ada").await;
        let ada = app.sign_in("ada").await;
        let (phone, _) = crate::totp::enroll_totp(&app, &ada).await;
        app.wait_for_mail("ada@example.org", 1).await;
        app.advance_clock(Duration::from_mins(1));
        let phone_browser = "Mozilla/5.0 (Android 16; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0";
        let first = app.anonymous().post_request("/sign-in").header("origin", app.url("")).header("user-agent", phone_browser)
            .form(&[("username", "ada"), ("password", PASSWORD)]);
        let first = app.anonymous().send(first).await.expect_status(303);
        let cookies: Vec<_> = first.headers.get_all("set-cookie").iter()
            .map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned()).collect();
        let code = phone.shows(&app, 0);
        for (otp, status) in [("000000", 401), (code.as_str(), 303)] {
            let second = app.anonymous().post_request("/sign-in/second").header("origin", app.url(""))
                .header("user-agent", phone_browser).header("cookie", cookies.join("; ")).form(&[("otp", otp)]);
            app.anonymous().send(second).await.expect_status(status);
        }
        app.advance_clock(Duration::from_mins(6));
        app.register_with_verified_email("ben").await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(app.mails().iter().all(|mail| mail.subject != "Your password was used on a new device"));
        let shown = page(&ada, "/account/security").await.expect_status(200).text;
        assert!(!shown.contains("Correct password for your account"), "{shown}");
        assert!(shown.contains("wrong one-time code"));
    }

    async fn invitation_adds_account_to_its_groups(app: TestApp) {
        let root = app.administrator("root").await;
        root.post("/api/groups", json!({"name": "welders"})).await.expect_status(201);
        root.post("/auth/invites", json!({"groups": ["unknown"]})).await.expect_status(404);
        let made = root.post("/auth/invites", json!({"groups": ["welders"]})).await.expect_status(201).body;
        assert_eq!(made["groups"], json!(["welders"]));
        let token = made["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        let body = json!({"username": "kim", "password": PASSWORD, "invite": token});
        app.anonymous().post("/auth/register", body).await.expect_status(201);
        let group = root.get("/api/groups/welders").await.expect_status(200).body;
        assert_eq!(group["members"], json!(["kim"]));
        let manager = app.editor("ada").await;
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "manager"}))).await.expect_status(204);
        let greedy = json!({"roles": {"main": "viewer"}, "groups": ["welders"]});
        manager.post("/auth/invites", greedy).await.expect_status(403);
        manager.get(&file_url("none", "")).await.expect_status(404);
    }
}
