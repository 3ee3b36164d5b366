//! Sign-in with right and wrong passwords, refresh, personal access tokens, tickets.

use reqwest::Method;
use serde_json::json;

use super::{PASSWORD_IN_NAME_FIELD, WRONG_PASSWORD, recording_client::RecordingClient};
use crate::test_program::PASSWORD;

/// Returns a valid access token of ada.
pub(super) async fn run(client: &RecordingClient) -> String {
    fail_sign_ins(client).await;
    let access = token_endpoint(client).await;
    send_malformed_requests(client, &access).await;
    live_streams(client, &access).await;
    personal_token(client, &access).await;
    access
}

async fn fail_sign_ins(client: &RecordingClient) {
    for (username, password) in [
        ("ada", WRONG_PASSWORD),
        ("nobody", WRONG_PASSWORD),
        (PASSWORD_IN_NAME_FIELD, WRONG_PASSWORD),
        (PASSWORD, PASSWORD),
    ] {
        let form = [("username", username), ("password", password)];
        for path in ["/auth/token", "/sign-in"] {
            client
                .send(client.post(path).form(&form))
                .await
                .expect_status(401);
        }
    }
    // A form with a duplicate field, and invalid JSON.
    client
        .send(
            client
                .post("/auth/token")
                .form(&[("password", WRONG_PASSWORD), ("password", WRONG_PASSWORD)]),
        )
        .await
        .expect_status(400);
    let broken = format!("{{\"username\": \"eve\", \"password\": \"{WRONG_PASSWORD}\"");
    client
        .send(
            client
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
        client
            .send(client.post("/auth/register").json(&wrong_type))
            .await
            .expect_status(422);
    }
}

/// Sends secrets where another type is expected.
async fn send_malformed_requests(client: &RecordingClient, access: &str) {
    let change = json!({"current_password": PASSWORD, "new_password": WRONG_PASSWORD, "end_other_sessions": WRONG_PASSWORD});
    client
        .send(
            client
                .request(Method::PUT, "/auth/me/password")
                .bearer_auth(access)
                .json(&change),
        )
        .await
        .expect_status(422);
    client
        .expect(
            422,
            client
                .get(&format!(
                    "/api/files?limit={}",
                    WRONG_PASSWORD.replace(' ', "+")
                ))
                .bearer_auth(access),
        )
        .await;
}

/// Signs in, refreshes, replays the old token, revokes.
async fn token_endpoint(client: &RecordingClient) -> String {
    let form = [("username", "ada"), ("password", PASSWORD)];
    let mut last = String::new();
    for replays in [1, 0] {
        let signed_in = client
            .expect(200, client.post("/auth/token").form(&form))
            .await;
        let refresh = client.record("a refresh token", signed_in.member("refresh_token"));
        client.record("an access token", signed_in.member("access_token"));
        let renew = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        let renewed = client
            .expect(200, client.post("/auth/token").form(&renew))
            .await;
        let next = client.record("a renewed refresh token", renewed.member("refresh_token"));
        last = client.record("a renewed access token", renewed.member("access_token"));
        let again = [
            ("grant_type", "refresh_token"),
            ("refresh_token", next.as_str()),
        ];
        client
            .expect(200, client.post("/auth/token").form(&again))
            .await;
        for _ in 0..replays {
            // A replay ends the token family.
            client
                .expect(400, client.post("/auth/token").form(&renew))
                .await;
        }
    }
    client.record(
        "an access token's signature",
        last.rsplit('.').next().unwrap(),
    );
    revocation(client).await
}

/// Signs in, introspects and revokes. Returns an access token that stays valid.
async fn revocation(client: &RecordingClient) -> String {
    let form = [("username", "ada"), ("password", PASSWORD)];
    let signed_in = client
        .expect(200, client.post("/auth/token").form(&form))
        .await;
    let refresh = client.record("a revoked token", signed_in.member("refresh_token"));
    let access = client.record("an access token", signed_in.member("access_token"));
    let good = client.sign_in("ada", PASSWORD).await;
    client
        .expect(
            200,
            client
                .post("/auth/introspect")
                .bearer_auth(&good)
                .form(&[("token", &access)]),
        )
        .await;
    client
        .expect(
            200,
            client.post("/auth/revoke").form(&[("token", &refresh)]),
        )
        .await;
    client
        .expect(401, client.get("/auth/me").bearer_auth(&access))
        .await;
    good
}

async fn live_streams(client: &RecordingClient, access: &str) {
    for (path, opened) in [("/api/events", 200), ("/ws", 101)] {
        let created = client
            .expect(200, client.post("/auth/ws-ticket").bearer_auth(access))
            .await;
        let ticket = client.record("a ticket", created.member("ticket"));
        // A ticket works once.
        for status in [opened, 401] {
            let upgrade = client
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

async fn personal_token(client: &RecordingClient, access: &str) {
    let created = json!({"name": "script", "scopes": ["files:read", "files:write"]});
    let created = client
        .expect(
            201,
            client
                .post("/auth/tokens")
                .bearer_auth(access)
                .json(&created),
        )
        .await;
    let token = client.record("a personal token", created.member("token"));
    client.record("a personal token as Basic", &format!("ada:{token}"));
    let files = || client.request(Method::GET, "/api/files");
    client.expect(200, files().bearer_auth(&token)).await;
    client
        .expect(200, files().basic_auth("ada", Some(&token)))
        .await;
    client
        .expect(401, files().basic_auth("eve", Some(&token)))
        .await;
    let forged = client.record(
        "a forged token",
        &format!("{}{}", &token[..token.len() - 4], "AAAA"),
    );
    client.expect(401, files().bearer_auth(&forged)).await;
}
