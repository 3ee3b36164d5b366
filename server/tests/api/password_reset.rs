//! Password reset by link, over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp},
    both,
};

const NEW_PASSWORD: &str = "seven copper kettles sing";

impl TestApp {
    /// An editor of `main` with an e-mail address.
    async fn editor_with_verified_email(&self, name: &str) -> Client {
        self.register_with_verified_email(name).await;
        self.sign_in(name).await
    }
}

async fn sign_in_with_password(
    app: &TestApp,
    name: &str,
    password: &str,
) -> crate::app::TestResponse {
    let anonymous = app.anonymous();
    anonymous
        .send(
            anonymous
                .post_request("/auth/token")
                .form(&[("username", name), ("password", password)]),
        )
        .await
}

both! {
    async fn mailed_reset_link_replaces_a_lost_password(app: TestApp) {
        let ada = app.editor_with_verified_email("ada").await;
        app.anonymous().post("/auth/reset", json!({"account": "ada@EXAMPLE.org"})).await.expect_status(202);
        let mail = app.wait_for_mail("ada@example.org", 1).await;
        assert_eq!(mail.subject, "Reset your Strongroom password");
        let confirm = |new: &str| json!({"token": mail.token(), "new_password": new});
        app.anonymous().post("/auth/reset/confirm", confirm("too short")).await.expect_status(422);
        app.anonymous().post("/auth/reset/confirm", confirm(NEW_PASSWORD)).await.expect_status(204);
        app.anonymous().post("/auth/reset/confirm", confirm(NEW_PASSWORD)).await.expect_status(403);
        ada.get("/auth/me").await.expect_status(401);
        crate::accounts::refresh_token(&ada, &ada.refresh).await.expect_status(400);
        sign_in_with_password(&app, "ada", PASSWORD).await.expect_status(401);
        sign_in_with_password(&app, "ada", NEW_PASSWORD).await.expect_status(200);
        assert_eq!(app.wait_for_mail("ada@example.org", 2).await.subject, "Your password was reset");
    }

    async fn reset_mail_requires_a_verified_address(app: TestApp) {
        let address = app.register_with_email("ada").await;
        app.wait_for_mail(&address, 1).await;
        app.editor_with_verified_email("bob").await;
        let ada = app.sign_in("ada").await;
        for account in ["ada", "ada@example.org", "bob"] {
            app.anonymous().post("/auth/reset", json!({"account": account})).await.expect_status(202);
        }
        app.wait_for_mail("bob@example.org", 1).await;
        assert!(app.mails().iter().all(|mail| mail.to != address), "{:?}", app.mails());
        app.anonymous().post("/auth/me/email/send", Value::Null).await.expect_status(401);
        assert!(ada.get("/account").await.expect_status(200).text.contains("id=\"send-link\""));
        ada.post("/auth/me/email/send", Value::Null).await.expect_status(202);
        let mail = app.wait_for_mail(&address, 1).await;
        assert_eq!(mail.subject, "Confirm your e-mail address for Strongroom");
        let token = json!({"token": mail.token()});
        app.anonymous().post("/auth/me/email/confirm", token).await.expect_status(204);
        ada.post("/auth/me/email/send", Value::Null).await.expect_status(409);
        assert!(!ada.get("/account").await.expect_status(200).text.contains("send-link"));
        app.anonymous().post("/auth/reset", json!({"account": "ada"})).await.expect_status(202);
        assert_eq!(app.wait_for_mail(&address, 2).await.subject, "Reset your Strongroom password");
    }

    async fn password_reset_does_not_bypass_second_factor(app: TestApp) {
        let ada = app.editor_with_verified_email("ada").await;
        crate::totp::enroll_totp(&app, &ada).await;
        app.anonymous().post("/auth/reset", json!({"account": "ada"})).await.expect_status(202);
        let mut n = 1;
        let token = loop {
            // The enrollment of the app also sent a mail.
            let mail = app.wait_for_mail("ada@example.org", n).await;
            if mail.subject == "Reset your Strongroom password" {
                break mail.token().to_owned();
            }
            n += 1;
        };
        let answer = app.anonymous().post("/auth/reset/confirm", json!({"token": token, "new_password": NEW_PASSWORD})).await.expect_status(204);
        assert!(answer.header("set-cookie").is_none_or(|cookie| !cookie.starts_with("strongroom=sr_ws_")), "no session");
        let answer = sign_in_with_password(&app, "ada", NEW_PASSWORD).await.expect_status(401);
        assert_eq!(answer.body["error"], "mfa_required");
    }

    async fn mailed_link_ignores_host_and_forwarding_headers(app: TestApp) {
        app.editor_with_verified_email("ada").await;
        let anonymous = app.anonymous();
        let headers = ["host", "x-forwarded-host", "x-forwarded-proto", "forwarded", "origin", "x-original-url"];
        for (n, name) in (0..).zip(headers) {
            let poison = if name == "forwarded" { "host=evil.example" } else { "evil.example" };
            let request = anonymous.post_request("/auth/reset").header(name, poison).json(&json!({"account": "ada"}));
            if name == "host" {
                // Requests with a foreign host name are rejected.
                anonymous.send(request).await.expect_status(421);
                continue;
            }
            anonymous.send(request).await.expect_status(202);
            let mail = app.wait_for_mail("ada@example.org", n).await;
            assert!(mail.link().starts_with("http://strongroom.test/reset#sr_rs_"), "{}", mail.text);
            assert!(!mail.text.contains("evil.example"), "{}", mail.text);
            app.advance_clock(std::time::Duration::from_mins(5));
        }
    }

    async fn reset_request_does_not_reveal_accounts(app: TestApp) {
        let root = app.administrator("root").await;
        for name in ["ada", "gone"] {
            app.editor_with_verified_email(name).await;
        }
        app.editor("bob").await;
        root.send(root.request_builder(Method::PATCH, "/api/users/gone").json(&json!({"disabled": true}))).await.expect_status(200);
        let mut answers = Vec::new();
        for account in ["ada", "bob", "gone", "nobody", "ada@example.org", "who@example.org", "", "\u{0}", "no such name!"] {
            let mut answer = app.anonymous().post("/auth/reset", json!({"account": account})).await.expect_status(202);
            for own in ["x-request-id", "date"] {
                answer.headers.remove(own);
            }
            answers.push((answer.text, answer.headers));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    }

    async fn administrator_can_create_a_reset_link(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        ada.post("/api/users/ada/reset", Value::Null).await.expect_status(403);
        app.anonymous().post("/api/users/ada/reset", Value::Null).await.expect_status(401);
        root.post("/api/users/nobody/reset", Value::Null).await.expect_status(404);
        let answer = root.post("/api/users/ada/reset", Value::Null).await.expect_status(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let link = answer.body["link"].as_str().unwrap();
        let token = link.strip_prefix("http://strongroom.test/reset#").unwrap();
        app.anonymous().post("/auth/reset/confirm", json!({"token": token, "new_password": NEW_PASSWORD})).await.expect_status(204);
        sign_in_with_password(&app, "ada", NEW_PASSWORD).await.expect_status(200);
    }

    async fn administrator_changes_are_mailed_to_previous_address(app: TestApp) {
        let root = app.administrator("root").await;
        let body = json!({"username": "ada", "password": PASSWORD, "email": "ada@example.org"});
        app.anonymous().post("/auth/register", body).await.expect_status(201);
        root.post("/api/users/ada/reset", Value::Null).await.expect_status(200);
        for change in [json!({"reset_required": true}), json!({"email": "other@evil.example"})] {
            root.send(root.request_builder(reqwest::Method::PATCH, "/api/users/ada").json(&change)).await.expect_status(200);
        }
        let mut subjects = Vec::new();
        // The first mail asks to confirm the address.
        for n in 2..=4 {
            subjects.push(app.wait_for_mail("ada@example.org", n).await.subject);
        }
        subjects.sort();
        let expected = ["A password reset link was created", "Your e-mail address was changed", "Your password must be reset"];
        assert_eq!(subjects, expected);
    }

    async fn reset_request_is_not_audited_as_failure(app: TestApp) {
        let root = app.administrator("root").await;
        app.anonymous().post("/auth/reset", json!({"account": "root"})).await.expect_status(202);
        let audit = root.get("/api/audit").await.expect_status(200).body;
        assert!(!audit.as_array().unwrap().iter().any(|entry| entry["action"] == "sign_in.refused"), "{audit}");
    }

    async fn required_reset_rejects_the_old_password(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor_with_verified_email("ada").await);
        let patch = json!({"reset_required": true});
        let user = root.send(root.request_builder(Method::PATCH, "/api/users/ada").json(&patch)).await.expect_status(200).body;
        assert_eq!(user["reset_required"], true);
        ada.get("/auth/me").await.expect_status(401);
        sign_in_with_password(&app, "ada", "wrong wrong wrong").await.expect_status(401).expect_detail("Incorrect username or password");
        let refused = sign_in_with_password(&app, "ada", PASSWORD).await.expect_status(403);
        assert_eq!(refused.body["error"], "password_reset_required");
        app.anonymous().post("/auth/reset", json!({"account": "ada"})).await.expect_status(202);
        let mail = app.wait_for_mail("ada@example.org", 2).await;
        let confirm = json!({"token": mail.token(), "new_password": NEW_PASSWORD});
        app.anonymous().post("/auth/reset/confirm", confirm).await.expect_status(204);
        sign_in_with_password(&app, "ada", NEW_PASSWORD).await.expect_status(200);
        assert_eq!(root.get("/api/users/ada").await.expect_status(200).body["reset_required"], false);
    }

    async fn parallel_api_reset_link_uses_succeed_once(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        let link = root.post("/api/users/ada/reset", Value::Null).await.expect_status(200).body["link"].as_str().unwrap().to_owned();
        let token = link.split_once('#').unwrap().1.to_owned();
        let tries = (0..8).map(|n| {
            let (client, token) = (app.anonymous(), token.clone());
            let new = format!("{NEW_PASSWORD} {n}");
            tokio::spawn(async move {
                client.post("/auth/reset/confirm", json!({"token": token, "new_password": new})).await.status()
            })
        });
        let mut statuses = Vec::new();
        for task in tries.collect::<Vec<_>>() {
            statuses.push(task.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 403, 403, 403, 403, 403, 403, 403]);
    }

    async fn password_change_and_reset_invalidate_refresh_tokens(app: TestApp) {
        let here = app.editor_with_verified_email("ada").await;
        let there = app.sign_in("ada").await;
        let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
        here.send(here.put_request("/auth/me/password").json(&change)).await.expect_status(204);
        crate::accounts::refresh_token(&there, &there.refresh).await.expect_status(400);
        there.get("/auth/me").await.expect_status(401);
        let after = crate::accounts::refresh_token(&here, &here.refresh).await.expect_status(200).body;
        app.anonymous().post("/auth/reset", json!({"account": "ada"})).await.expect_status(202);
        let token = app.wait_for_mail("ada@example.org", 2).await.token().to_owned();
        app.anonymous().post("/auth/reset/confirm", json!({"token": token, "new_password": PASSWORD})).await.expect_status(204);
        crate::accounts::refresh_token(&here, after["refresh_token"].as_str().unwrap()).await.expect_status(400);
        here.get("/auth/me").await.expect_status(401);
    }
}
