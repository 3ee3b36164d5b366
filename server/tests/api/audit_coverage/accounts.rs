//! Accounts, profiles and passwords.

use serde_json::{Value, json};

use super::AuditCoverage;
use crate::app::{Client, PASSWORD, TestApp};

pub(super) async fn cover_accounts(app: &TestApp, story: &mut AuditCoverage) -> Client {
    let body = json!({"username": "ada", "password": PASSWORD, "email": "ada@example.org"});
    story
        .expect_audited(
            "register_account",
            "ada",
            "account.created",
            app.anonymous().post("/auth/register", body).await,
        )
        .await;
    let ada = app.sign_in("ada").await;
    cover_profile(story, &ada).await;
    cover_email_change(app, story, &ada).await;
    cover_password_changes(app, story, &ada).await;
    let old = app.sign_in("ada").await;
    let ended = old.post("/auth/logout", Value::Null).await;
    story
        .expect_audited("end_own_session", "ada", "session.ended", ended)
        .await;
    app.sign_in("ada").await
}

async fn cover_profile(story: &mut AuditCoverage, ada: &Client) {
    let again = ada.post("/auth/me/email/send", Value::Null).await;
    story
        .expect_audited("send_email_link", "ada", "email.asked", again)
        .await;
    let renamed = ada
        .request_builder(reqwest::Method::PATCH, "/auth/me")
        .json(&json!({"display_name": "Ada"}));
    story
        .expect_audited(
            "change_me",
            "ada",
            "account.changed",
            ada.send(renamed).await,
        )
        .await;
}

async fn cover_email_change(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    let moved = ada
        .request_builder(reqwest::Method::PATCH, "/auth/me")
        .json(&json!({"email": "new@example.org"}));
    ada.send(moved).await.expect_status(200);
    let token = app
        .wait_for_mail("new@example.org", 1)
        .await
        .token()
        .to_owned();
    let confirmed = app
        .anonymous()
        .post("/auth/me/email/confirm", json!({"token": token}))
        .await;
    story
        .expect_audited("confirm_email", "ada", "email.changed", confirmed)
        .await;
}

async fn cover_password_changes(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    let new = json!({"current_password": PASSWORD, "new_password": "another battery horse staple"});
    story
        .expect_audited(
            "change_password",
            "ada",
            "password.changed",
            ada.send(ada.put_request("/auth/me/password").json(&new))
                .await,
        )
        .await;
    app.anonymous()
        .post("/auth/reset", json!({"account": "ada"}))
        .await
        .expect_status(202);
    let back = app.wait_for_mail("new@example.org", 2).await;
    let back = if back.subject == "Reset your Strongroom password" {
        back
    } else {
        app.wait_for_mail("new@example.org", 3).await
    };
    story.covered.insert("request_password_reset");
    let reset = json!({"token": back.token(), "new_password": PASSWORD});
    let done = app.anonymous().post("/auth/reset/confirm", reset).await;
    story
        .expect_audited("reset_password", "ada", "password.reset", done)
        .await;
}
