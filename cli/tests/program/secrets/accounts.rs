//! Sign-in with right and wrong passwords, refresh, personal access tokens, tickets.

use reqwest::Method;
use serde_json::json;

use super::{PASSWORD_IN_NAME_FIELD, WRONG_PASSWORD, run_deployment::Drive};
use crate::program::PASSWORD;

/// Returns a valid access token of ada.
pub(super) async fn run(drive: &Drive) -> String {
    fail_sign_ins(drive).await;
    let access = token_endpoint(drive).await;
    send_malformed_requests(drive, &access).await;
    live_streams(drive, &access).await;
    personal_token(drive, &access).await;
    access
}

async fn fail_sign_ins(drive: &Drive) {
    for (username, password) in [
        ("ada", WRONG_PASSWORD),
        ("nobody", WRONG_PASSWORD),
        (PASSWORD_IN_NAME_FIELD, WRONG_PASSWORD),
        (PASSWORD, PASSWORD),
    ] {
        let form = [("username", username), ("password", password)];
        for path in ["/auth/token", "/sign-in"] {
            drive
                .send(drive.post(path).form(&form))
                .await
                .expect_status(401);
        }
    }
    // A form with a duplicate field, and invalid JSON.
    drive
        .send(
            drive
                .post("/auth/token")
                .form(&[("password", WRONG_PASSWORD), ("password", WRONG_PASSWORD)]),
        )
        .await
        .expect_status(400);
    let broken = format!("{{\"username\": \"eve\", \"password\": \"{WRONG_PASSWORD}\"");
    drive
        .send(
            drive
                .post("/auth/register")
                .header("content-type", "application/json")
                .body(broken),
        )
        .await
        .expect_status(422);
    for wrong_type in [
        json!({"username": "eve", "password": [WRONG_PASSWORD]}),
        json!({"username": {"x": WRONG_PASSWORD}}),
        json!(WRONG_PASSWORD),
    ] {
        drive
            .send(drive.post("/auth/register").json(&wrong_type))
            .await
            .expect_status(422);
    }
}

/// Sends secrets where another type is expected.
async fn send_malformed_requests(drive: &Drive, access: &str) {
    let change = json!({"current_password": PASSWORD, "new_password": WRONG_PASSWORD, "end_other_sessions": WRONG_PASSWORD});
    drive
        .send(
            drive
                .request(Method::PUT, "/auth/me/password")
                .bearer_auth(access)
                .json(&change),
        )
        .await
        .expect_status(422);
    drive
        .expect_rejection(
            drive
                .get(&format!(
                    "/api/files?limit={}",
                    WRONG_PASSWORD.replace(' ', "+")
                ))
                .bearer_auth(access),
        )
        .await;
}

/// Signs in, refreshes, replays the old token, revokes.
async fn token_endpoint(drive: &Drive) -> String {
    let form = [("username", "ada"), ("password", PASSWORD)];
    let mut last = String::new();
    for replays in [1, 0] {
        let signed_in = drive
            .expect_success(drive.post("/auth/token").form(&form))
            .await;
        let refresh = drive.record("a refresh token", signed_in.member("refresh_token"));
        drive.record("an access token", signed_in.member("access_token"));
        let renew = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        let renewed = drive
            .expect_success(drive.post("/auth/token").form(&renew))
            .await;
        let next = drive.record("a renewed refresh token", renewed.member("refresh_token"));
        last = drive.record("a renewed access token", renewed.member("access_token"));
        let again = [
            ("grant_type", "refresh_token"),
            ("refresh_token", next.as_str()),
        ];
        drive
            .expect_success(drive.post("/auth/token").form(&again))
            .await;
        for _ in 0..replays {
            // A replay ends the token family.
            drive
                .expect_rejection(drive.post("/auth/token").form(&renew))
                .await;
        }
    }
    drive.record(
        "an access token's signature",
        last.rsplit('.').next().unwrap(),
    );
    let signed_in = drive
        .expect_success(drive.post("/auth/token").form(&form))
        .await;
    let refresh = drive.record("a revoked token", signed_in.member("refresh_token"));
    let access = drive.record("an access token", signed_in.member("access_token"));
    let good = drive.sign_in("ada", PASSWORD).await;
    drive
        .expect_success(
            drive
                .post("/auth/introspect")
                .bearer_auth(&good)
                .form(&[("token", &access)]),
        )
        .await;
    drive
        .expect_success(drive.post("/auth/revoke").form(&[("token", &refresh)]))
        .await;
    drive
        .expect_rejection(drive.get("/auth/me").bearer_auth(&access))
        .await;
    good
}

async fn live_streams(drive: &Drive, access: &str) {
    for (path, opened) in [("/api/events", 200), ("/ws", 101)] {
        let created = drive
            .expect_success(drive.post("/auth/ws-ticket").bearer_auth(access))
            .await;
        let ticket = drive.record("a ticket", created.member("ticket"));
        // A ticket works once.
        for status in [opened, 401] {
            let upgrade = drive
                .get(&format!("{path}?ticket={ticket}"))
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            // The body is not read, because a stream does not end.
            assert_eq!(upgrade.send().await.unwrap().status(), status, "{path}");
        }
    }
}

async fn personal_token(drive: &Drive, access: &str) {
    let created = json!({"name": "script", "scopes": ["files:read", "files:write"]});
    let created = drive
        .expect_success(
            drive
                .post("/auth/tokens")
                .bearer_auth(access)
                .json(&created),
        )
        .await;
    let token = drive.record("a personal token", created.member("token"));
    drive.record("a personal token as Basic", &format!("ada:{token}"));
    let files = || drive.request(Method::GET, "/api/files");
    drive.expect_success(files().bearer_auth(&token)).await;
    drive
        .expect_success(files().basic_auth("ada", Some(&token)))
        .await;
    drive
        .expect_rejection(files().basic_auth("eve", Some(&token)))
        .await;
    let forged = drive.record(
        "a forged token",
        &format!("{}{}", &token[..token.len() - 4], "AAAA"),
    );
    drive.expect_rejection(files().bearer_auth(&forged)).await;
}
