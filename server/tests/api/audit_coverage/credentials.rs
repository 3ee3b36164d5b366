//! Tokens, second factors and sessions.

use serde_json::{Value, json};

use super::AuditCoverage;
use crate::app::{Client, PASSWORD, TestApp};

pub(super) async fn cover_credentials(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    cover_tokens(story, ada).await;
    story
        .expect_audited(
            "confirm_step_up",
            "ada",
            "sign_in.confirmed",
            ada.post("/auth/step-up", json!({"password": PASSWORD}))
                .await,
        )
        .await;
    let ada = cover_second_factors(app, story, ada).await;
    cover_sessions(app, story, &ada).await;
}

async fn cover_tokens(story: &mut AuditCoverage, ada: &Client) {
    let made = ada
        .post(
            "/auth/tokens",
            json!({"name": "x", "scopes": ["files:read"]}),
        )
        .await;
    let made = story
        .expect_audited("create_token", "ada", "token.made", made)
        .await;
    let path = format!("/auth/tokens/{}", made.body["id"].as_str().unwrap());
    story
        .expect_audited(
            "revoke_personal_token",
            "ada",
            "token.ended",
            ada.send(ada.delete_request(&path)).await,
        )
        .await;
}

/// Returns ada, signed in with a recovery code.
async fn cover_second_factors(app: &TestApp, story: &mut AuditCoverage, ada: &Client) -> Client {
    let (_, codes) = crate::totp::enroll_totp(app, ada).await;
    let ways = ada.get("/auth/factors").await.expect_status(200).body;
    story
        .expect_audited(
            "confirm_totp",
            "ada",
            "factor.added",
            ada.get("/auth/me").await,
        )
        .await;
    let path = format!(
        "/auth/factors/{}",
        ways["factors"][0]["id"].as_str().unwrap()
    );
    let renamed = ada
        .request_builder(reqwest::Method::PATCH, &path)
        .json(&json!({"name": "phone"}));
    story
        .expect_audited(
            "rename_factor",
            "ada",
            "factor.renamed",
            ada.send(renamed).await,
        )
        .await;
    let with_code = crate::totp::sign_in_with_otp(app, "ada", Some(&codes[0])).await;
    let with_code = story
        .expect_audited("issue_token", "ada", "recovery_code.used", with_code)
        .await;
    let ada = crate::totp::client_from(app, "ada", &with_code);
    let codes = ada.post("/auth/recovery-codes", Value::Null).await;
    story
        .expect_audited("create_recovery_codes", "ada", "recovery_codes.made", codes)
        .await;
    story
        .expect_audited(
            "remove_factor",
            "ada",
            "factor.removed",
            ada.send(ada.delete_request(&path)).await,
        )
        .await;
    ada
}

async fn cover_sessions(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    let other = app.sign_in("ada").await;
    let sessions = other.get("/auth/sessions").await.expect_status(200).body;
    let own = sessions
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["current"] == true)
        .unwrap()["id"]
        .clone();
    let path = format!("/auth/sessions/{}", own.as_str().unwrap());
    story
        .expect_audited(
            "end_session",
            "ada",
            "session.ended",
            ada.send(ada.delete_request(&path)).await,
        )
        .await;
    app.sign_in("ada").await;
    let ended = ada.post("/auth/sessions/end-others", Value::Null).await;
    story
        .expect_audited("end_other_sessions", "ada", "sessions.ended", ended)
        .await;
}
