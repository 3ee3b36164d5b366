//! The own display name and e-mail address, and their verification.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse},
    both,
    totp::enroll_totp,
};

impl Client {
    async fn change_profile(&self, what: Value) -> TestResponse {
        self.send(self.request_builder(Method::PATCH, "/auth/me").json(&what))
            .await
    }
}

/// A user with an unverified address from registration.
async fn editor_with_email(app: &TestApp, name: &str) -> Client {
    let address = app.register_with_email(name).await;
    app.wait_for_mail(&address, 1).await;
    app.clear_mails();
    app.sign_in(name).await
}

async fn mailed_token(app: &TestApp, address: &str, n: usize) -> String {
    let mail = app.wait_for_mail(address, n).await;
    assert_eq!(mail.subject, "Confirm your e-mail address for Strongroom");
    let link = mail
        .text
        .lines()
        .find(|line| line.starts_with("http://strongroom.test/confirm-email#"))
        .unwrap();
    link.split_once('#').unwrap().1.to_owned()
}

async fn confirm_email(app: &TestApp, token: &str) -> u16 {
    app.anonymous()
        .post("/auth/me/email/confirm", json!({"token": token}))
        .await
        .status()
}

/// The status of each own operation with unknown members in its body. An operation without a body
/// ignores them, and "none" is the id of nothing.
const STATUSES_WITH_UNKNOWN_MEMBERS: [(&str, u16); 37] = [
    ("delete /auth/factors/{id}", 404),
    ("delete /auth/identities/{id}", 403),
    ("delete /auth/invites/{id}", 404),
    ("delete /auth/passkeys/{id}", 404),
    ("delete /auth/sessions/{id}", 404),
    ("delete /auth/tokens/{id}", 404),
    ("get /auth/audit", 200),
    ("get /auth/factors", 200),
    ("get /auth/identities", 200),
    ("get /auth/invites", 200),
    ("get /auth/me", 200),
    ("get /auth/passkeys", 200),
    ("get /auth/sessions", 200),
    ("get /auth/step-up", 200),
    ("get /auth/tokens", 200),
    ("patch /auth/factors/{id}", 422),
    ("patch /auth/me", 422),
    ("patch /auth/passkeys/{id}", 422),
    ("post /auth/authorize", 422),
    ("post /auth/device/decide", 422),
    ("post /auth/device/look", 422),
    ("post /auth/introspect", 415),
    ("post /auth/invites", 422),
    ("post /auth/me/email/send", 202),
    ("post /auth/oidc/{provider}/link", 404),
    ("post /auth/passkeys", 422),
    ("post /auth/passkeys/options", 404),
    ("post /auth/passkeys/step-up", 422),
    ("post /auth/passkeys/step-up/options", 404),
    ("post /auth/recovery-codes", 404),
    ("post /auth/sessions/end-others", 200),
    ("post /auth/step-up", 422),
    ("post /auth/tokens", 422),
    ("post /auth/totp", 200),
    ("post /auth/totp/confirm", 422),
    ("post /auth/ws-ticket", 200),
    ("put /auth/me/password", 422),
];

both! {
    async fn new_email_address_applies_after_confirmation(app: TestApp) {
        let ada = editor_with_email(&app, "ada").await;
        let changed = ada.change_profile(json!({"display_name": "Ada Byron", "email": "new@example.org"})).await.expect_status(200).body;
        assert_eq!((&changed["display_name"], &changed["email"]), (&json!("Ada Byron"), &json!("ada@example.org")));
        assert_eq!(changed["email_to_confirm"], "new@example.org");
        let token = mailed_token(&app, "new@example.org", 1).await;
        assert_eq!(confirm_email(&app, &token).await, 204);
        let me = ada.get("/auth/me").await.expect_status(200).body;
        assert_eq!((&me["email"], &me["email_verified"]), (&json!("new@example.org"), &json!(true)));
        assert_eq!(confirm_email(&app, &token).await, 403, "once");
        for (n, subject) in [(1, "A new e-mail address was requested"), (2, "Your e-mail address was changed")] {
            assert_eq!(app.wait_for_mail("ada@example.org", n).await.subject, subject);
        }
        // Removal takes effect at once and leaves nothing of the old address.
        let me = ada.change_profile(json!({"email": null})).await.expect_status(200).body;
        assert_eq!((&me["email"], &me["email_verified"]), (&Value::Null, &json!(false)));
    }

    async fn email_link_expires_or_is_superseded(app: TestApp) {
        let (ada, root) = (editor_with_email(&app, "ada").await, app.administrator("root").await);
        ada.change_profile(json!({"email": "one@example.org"})).await.expect_status(200);
        let one = mailed_token(&app, "one@example.org", 1).await;
        ada.change_profile(json!({"email": "two@example.org"})).await.expect_status(200);
        let two = mailed_token(&app, "two@example.org", 1).await;
        assert_eq!(confirm_email(&app, &one).await, 403);
        let by_root = json!({"email": "chosen@example.org"});
        root.send(root.request_builder(Method::PATCH, "/api/users/ada").json(&by_root)).await.expect_status(200);
        assert_eq!(confirm_email(&app, &two).await, 403);
        let me = ada.get("/auth/me").await.expect_status(200).body;
        assert_eq!((&me["email"], &me["email_verified"]), (&json!("chosen@example.org"), &json!(false)));
        ada.change_profile(json!({"email": "three@example.org"})).await.expect_status(200);
        let three = mailed_token(&app, "three@example.org", 1).await;
        app.advance_clock(Duration::from_hours(24));
        assert_eq!(confirm_email(&app, &three).await, 403);
        assert_eq!(confirm_email(&app, "sr_em_guess").await, 403);
    }

    async fn email_link_is_invalid_after_security_epoch_change(app: TestApp) {
        let root = app.administrator("root").await;
        let ways = ["a new password", "a reset link", "others ended", "all ended", "factors", "disabled", "reset required"];
        for (n, way) in ways.into_iter().enumerate() {
            let name = format!("ada{n}");
            let (ada, thief) = (editor_with_email(&app, &name).await, app.sign_in(&name).await);
            let evil = format!("thief{n}@evil.example");
            thief.change_profile(json!({"email": evil})).await.expect_status(200);
            let link = mailed_token(&app, &evil, 1).await;
            let user = format!("/api/users/{name}");
            let by_root = async |change: Value| root.send(root.request_builder(Method::PATCH, &user).json(&change)).await.expect_status(200);
            match way {
                "a new password" => {
                    let keeping = json!({"current_password": PASSWORD, "new_password": "seven copper kettles sing", "end_other_sessions": false});
                    ada.send(ada.put_request("/auth/me/password").json(&keeping)).await.expect_status(204);
                }
                "a reset link" => {
                    let made = root.post(&format!("{user}/reset"), Value::Null).await.expect_status(200).body;
                    let token = made["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
                    let new = json!({"token": token, "new_password": "seven copper kettles sing"});
                    app.anonymous().post("/auth/reset/confirm", new).await.expect_status(204);
                }
                "others ended" => drop(ada.post("/auth/sessions/end-others", Value::Null).await.expect_status(200)),
                "all ended" => drop(root.post(&format!("{user}/end-sessions"), Value::Null).await.expect_status(200)),
                "factors" => drop(enroll_totp(&app, &ada).await),
                "disabled" => {
                    by_root(json!({"disabled": true})).await;
                    by_root(json!({"disabled": false})).await;
                }
                _ => drop(by_root(json!({"reset_required": true})).await),
            }
            assert_eq!(confirm_email(&app, &link).await, 403, "{way}");
            assert_eq!(root.get(&user).await.expect_status(200).body["email"], format!("{name}@example.org"), "{way}");
        }
    }

    async fn email_change_request_is_mailed_and_audited(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, editor_with_email(&app, "ada").await);
        ada.change_profile(json!({"email": "new@example.org"})).await.expect_status(200);
        let mail = app.wait_for_mail("ada@example.org", 1).await;
        assert_eq!(mail.subject, "A new e-mail address was requested");
        assert!(!mail.text.contains("new@example.org"), "the address that a thief entered is not disclosed");
        let audit = root.get("/api/audit").await.expect_status(200).body;
        let entry = audit.as_array().unwrap().iter().find(|entry| entry["action"] == "email.asked").unwrap();
        assert_eq!((&entry["actor"], &entry["subject"]), (&json!("ada"), &json!("ada")));
        assert_eq!(entry["facts"]["email"], "new@example.org");
        // No credential was wrong, so no failed sign-in is recorded.
        assert!(!audit.as_array().unwrap().iter().any(|entry| entry["action"] == "sign_in.refused"), "{audit}");
    }

    async fn email_change_requires_recent_sign_in(app: TestApp) {
        let ada = editor_with_email(&app, "ada").await;
        app.advance_clock(Duration::from_mins(11));
        let refused = ada.change_profile(json!({"email": "eve@example.org"})).await.expect_status(401);
        assert_eq!(refused.body["error"], "insufficient_user_authentication");
        ada.change_profile(json!({"email": "ada@example.org", "display_name": "Ada"})).await.expect_status(200);
        ada.change_profile(json!({"email": "nonsense"})).await.expect_status(422);
        ada.change_profile(json!({"display_name": "\u{202e}Ada"})).await.expect_status(422);
    }

    async fn profile_change_cannot_set_privileges(app: TestApp) {
        let eve = editor_with_email(&app, "eve").await;
        for extra in ["is_admin", "email_verified", "verified", "username", "roles", "groups", "disabled", "mfa"] {
            eve.change_profile(json!({"display_name": "Eve", extra: true})).await.expect_status(422);
        }
        let me = eve.get("/auth/me").await.expect_status(200).body;
        assert_eq!((&me["is_admin"], &me["email_verified"]), (&json!(false), &json!(false)));
        assert_eq!(me["display_name"], Value::Null);
    }

    async fn username_in_request_does_not_override_the_session(app: TestApp) {
        let (ada, eve) = (editor_with_email(&app, "ada").await, editor_with_email(&app, "eve").await);
        let before = ada.get("/auth/me").await.expect_status(200).body;
        let document = app.anonymous().get("/openapi.json").await.expect_status(200).body;
        let mut tried = 0;
        let mut statuses = std::collections::BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let own = path.starts_with("/auth/") && !path.contains("logout");
            for (method, operation) in item.as_object().unwrap().iter().filter(|_| own) {
                if operation["security"].as_array().is_none_or(Vec::is_empty) {
                    continue;
                }
                tried += 1;
                let title = format!("{method} {path}");
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                for (name, value) in [("username", "ada"), ("sub", "ada"), ("user", "ada")] {
                    let path = format!("{path}?{name}={value}").replace("{id}", "none");
                    let mut body = json!({"display_name": "Mine now", "email": "eve@evil.example",
                        "current_password": PASSWORD, "new_password": "a quite long password", "name": "n"});
                    body[name] = value.into();
                    let answer = eve.send(eve.request_builder(method.clone(), &path).json(&body)).await;
                    let status = answer.status();
                    assert_eq!(*statuses.entry(title.clone()).or_insert(status), status, "{title} with {name}");
                    let form = [(name, value), ("token", ada.token.as_deref().unwrap())];
                    if path.contains("introspect") {
                        let answer = eve.send(eve.request_builder(method.clone(), &path).form(&form)).await.expect_status(200);
                        assert_eq!(answer.body, json!({"active": false}), "{name}");
                    }
                }
            }
        }
        assert_eq!(tried, statuses.len());
        let expected = STATUSES_WITH_UNKNOWN_MEMBERS.map(|(title, status)| (title.to_owned(), status));
        assert_eq!(statuses, expected.into());
        // None of the operations ended the session.
        eve.get("/auth/me").await.expect_status(200);
        assert_eq!(ada.get("/auth/me").await.expect_status(200).body, before);
        app.sign_in("ada").await;
        let eve = app.sign_in("eve").await;
        assert_eq!(eve.get("/auth/me?username=ada").await.expect_status(200).body["username"], "eve");
        // The user of a refresh request comes from the token, not from the form.
        let form = [("grant_type", "refresh_token"), ("refresh_token", &eve.refresh), ("username", "ada")];
        let answer = eve.send(app.anonymous().post_request("/auth/token").form(&form)).await.expect_status(200);
        let token = answer.body["access_token"].as_str().unwrap().to_owned();
        let refreshed = Client { token: Some(token), ..app.anonymous() };
        assert_eq!(refreshed.get("/auth/me").await.expect_status(200).body["username"], "eve");
    }
}
