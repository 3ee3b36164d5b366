//! Signing in rightly and wrongly, refreshing, personal tokens, tickets.

use reqwest::Method;
use serde_json::json;

use super::{IN_THE_NAME_FIELD, WRONG, drive::Drive};
use crate::program::PASSWORD;

/// Answers an access token of ada's that is good.
pub(super) async fn accounts(drive: &Drive) -> String {
    sign_in_wrongly(drive).await;
    let access = tokens(drive).await;
    mistype(drive, &access).await;
    streams(drive, &access).await;
    personal(drive, &access).await;
    access
}

async fn sign_in_wrongly(drive: &Drive) {
    for (username, password) in [
        ("ada", WRONG),
        ("nobody", WRONG),
        (IN_THE_NAME_FIELD, WRONG),
        (PASSWORD, PASSWORD),
    ] {
        let form = [("username", username), ("password", password)];
        for path in ["/auth/token", "/sign-in"] {
            drive.hear(drive.post(path).form(&form)).await.is(401);
        }
    }
    // A form that makes no sense, and JSON that is none.
    drive
        .hear(
            drive
                .post("/auth/token")
                .form(&[("password", WRONG), ("password", WRONG)]),
        )
        .await
        .is(400);
    let broken = format!("{{\"username\": \"eve\", \"password\": \"{WRONG}\"");
    drive
        .hear(
            drive
                .post("/auth/register")
                .header("content-type", "application/json")
                .body(broken),
        )
        .await
        .is(422);
    for wrong_type in [
        json!({"username": "eve", "password": [WRONG]}),
        json!({"username": {"x": WRONG}}),
        json!(WRONG),
    ] {
        drive
            .hear(drive.post("/auth/register").json(&wrong_type))
            .await
            .is(422);
    }
}

/// A secret where something else is expected.
async fn mistype(drive: &Drive, access: &str) {
    let change =
        json!({"current_password": PASSWORD, "new_password": WRONG, "end_other_sessions": WRONG});
    drive
        .hear(
            drive
                .ask(Method::PUT, "/auth/me/password")
                .bearer_auth(access)
                .json(&change),
        )
        .await
        .is(422);
    drive
        .refused(
            drive
                .get(&format!("/api/files?limit={}", WRONG.replace(' ', "+")))
                .bearer_auth(access),
        )
        .await;
}

/// Signs in, refreshes, plays the old token again, revokes.
async fn tokens(drive: &Drive) -> String {
    let form = [("username", "ada"), ("password", PASSWORD)];
    let mut last = String::new();
    for replays in [1, 0] {
        let signed_in = drive.well(drive.post("/auth/token").form(&form)).await;
        let refresh = drive.keep("a refresh token", signed_in.text_of("refresh_token"));
        drive.keep("an access token", signed_in.text_of("access_token"));
        let renew = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        let renewed = drive.well(drive.post("/auth/token").form(&renew)).await;
        let next = drive.keep("a renewed refresh token", renewed.text_of("refresh_token"));
        last = drive.keep("a renewed access token", renewed.text_of("access_token"));
        let again = [
            ("grant_type", "refresh_token"),
            ("refresh_token", next.as_str()),
        ];
        drive.well(drive.post("/auth/token").form(&again)).await;
        for _ in 0..replays {
            // Ends this family.
            drive.refused(drive.post("/auth/token").form(&renew)).await;
        }
    }
    drive.keep(
        "an access token's signature",
        last.rsplit('.').next().unwrap(),
    );
    let signed_in = drive.well(drive.post("/auth/token").form(&form)).await;
    let refresh = drive.keep("a revoked token", signed_in.text_of("refresh_token"));
    let access = drive.keep("an access token", signed_in.text_of("access_token"));
    let good = drive.sign_in("ada", PASSWORD).await;
    drive
        .well(
            drive
                .post("/auth/introspect")
                .bearer_auth(&good)
                .form(&[("token", &access)]),
        )
        .await;
    drive
        .well(drive.post("/auth/revoke").form(&[("token", &refresh)]))
        .await;
    drive
        .refused(drive.get("/auth/me").bearer_auth(&access))
        .await;
    good
}

async fn streams(drive: &Drive, access: &str) {
    for path in ["/api/events", "/ws"] {
        let made = drive
            .well(drive.post("/auth/ws-ticket").bearer_auth(access))
            .await;
        let ticket = drive.keep("a ticket", made.text_of("ticket"));
        for _ in 0..2 {
            // The second time it is used up.
            let upgrade = drive
                .get(&format!("{path}?ticket={ticket}"))
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            // Not read: a stream never ends.
            assert!(upgrade.send().await.unwrap().status().as_u16() < 500);
        }
    }
}

async fn personal(drive: &Drive, access: &str) {
    let made = json!({"name": "script", "scopes": ["files:read", "files:write"]});
    let made = drive
        .well(drive.post("/auth/tokens").bearer_auth(access).json(&made))
        .await;
    let token = drive.keep("a personal token", made.text_of("token"));
    drive.keep("a personal token as Basic", &format!("ada:{token}"));
    let files = || drive.ask(Method::GET, "/api/files");
    drive.well(files().bearer_auth(&token)).await;
    drive.well(files().basic_auth("ada", Some(&token))).await;
    drive.refused(files().basic_auth("eve", Some(&token))).await;
    let forged = drive.keep(
        "a forged token",
        &format!("{}{}", &token[..token.len() - 4], "AAAA"),
    );
    drive.refused(files().bearer_auth(&forged)).await;
}
