//! OAuth clients: device codes, authorization codes, `strongroom login`; and idempotency keys.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::run_deployment::{Answer, Drive};
use crate::{
    program::upload_form,
    remote::{PendingLogin, decide_as},
};

// RFC 7636, appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://127.0.0.1:49152/callback";
const STATE: &str = "a program's own state & more";

pub(super) async fn clients(drive: &Drive, access: &str) {
    device(drive, access).await;
    authorization_code(drive, access).await;
    command_line(drive, access).await;
    retried(drive, access).await;
}

fn record_tokens(drive: &Drive, answer: &Answer) {
    drive.record("a program's access token", answer.member("access_token"));
    drive.record("a program's refresh token", answer.member("refresh_token"));
}

async fn device(drive: &Drive, access: &str) {
    let begun = drive
        .expect_success(drive.post("/auth/device").form(&[("scope", "files:read")]))
        .await;
    let code = drive.record("a device code", begun.member("device_code"));
    let typed = drive.record("a user code", begun.member("user_code"));
    let cookie = drive.sign_in_with_form().await;
    drive
        .expect_success(
            drive
                .get(&format!("/device?user_code={typed}"))
                .header("cookie", &cookie),
        )
        .await;
    let post_json = |path, body: Value| drive.post(path).bearer_auth(access).json(&body);
    let wrong = if typed == "BBBB-BBBB" {
        "CCCC-CCCC"
    } else {
        "BBBB-BBBB"
    };
    drive
        .expect_rejection(post_json(
            "/auth/device/look",
            json!({"user_code": drive.record("a wrong user code", wrong)}),
        ))
        .await;
    let pending = drive
        .expect_success(post_json("/auth/device/look", json!({"user_code": typed})))
        .await;
    let decision =
        json!({"user_code": typed, "request": pending.body["request"], "decision": "approve"});
    drive
        .expect_success(post_json("/auth/device/decide", decision))
        .await;
    let poll = |code: &str| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        drive
            .post("/auth/token")
            .form(&[("grant_type", grant), ("device_code", code)])
    };
    drive
        .expect_rejection(poll(&format!("{}AAAA", &code[..code.len() - 4])))
        .await;
    record_tokens(drive, &drive.expect_success(poll(&code)).await);
    drive.expect_rejection(poll(&code)).await;
}

async fn authorization_code(drive: &Drive, access: &str) {
    let state = drive.record("a program's state", STATE);
    let mut params = json!({
        "client_id": "strongroom-cli", "redirect_uri": BACK, "response_type": "code", "scope": "files:read",
        "state": state, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let cookie = drive.sign_in_with_form().await;
    let members = params
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name, value.as_str().unwrap()));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(members)
        .finish();
    drive
        .expect_success(
            drive
                .get(&format!("/auth/authorize?{query}"))
                .header("cookie", &cookie),
        )
        .await;
    params["decision"] = json!("approve");
    for redeem in ["wrongly", "well"] {
        let code = approve(drive, access, &params).await;
        let verifier = drive.record("a verifier", VERIFIER);
        let reversed: String = verifier.chars().rev().collect();
        if redeem == "wrongly" {
            drive
                .expect_rejection(redeemed(
                    drive,
                    &code,
                    &drive.record("another verifier", &reversed),
                ))
                .await;
        } else {
            record_tokens(
                drive,
                &drive
                    .expect_success(redeemed(drive, &code, &verifier))
                    .await,
            );
        }
        drive
            .expect_rejection(redeemed(drive, &code, &verifier))
            .await;
    }
}

/// Returns the authorization code.
async fn approve(drive: &Drive, access: &str, params: &Value) -> String {
    let printed = drive
        .expect_success(
            drive
                .post("/auth/authorize")
                .bearer_auth(access)
                .json(params),
        )
        .await;
    let query = printed.member("redirect_to").split_once('?').unwrap().1;
    let code = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "code")
        .unwrap()
        .1;
    drive.record("an authorization code", &code)
}

fn redeemed(drive: &Drive, code: &str, verifier: &str) -> RequestBuilder {
    let named = [("client_id", "strongroom-cli"), ("redirect_uri", BACK)];
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", verifier),
    ];
    drive
        .post("/auth/token")
        .form(&[&form[..], &named].concat())
}

/// Searches the output of the command line for tokens, too.
async fn command_line(drive: &Drive, access: &str) {
    let login = PendingLogin::start(&drive.program, &drive.url);
    let code = drive.record("the command line's user code", &login.code);
    decide_as(
        &crate::program::Client::new(&drive.server, access),
        &code,
        "approve",
    )
    .await;
    let (well, printed) = login.finish();
    assert!(well, "{printed}");
    let credentials = drive.program.credentials_json();
    let stored = |what: &str| {
        credentials["servers"][&drive.url][what]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for what in ["access_token", "refresh_token"] {
        drive.record(&format!("the command line's {what}"), &stored(what));
    }
    let mut all = printed;
    for command in ["whoami", "logout"] {
        let printed = drive
            .program
            .run_client(&[command, &drive.url, "--log", "trace"]);
        all.extend([printed.out.as_str(), &printed.err]);
        printed.expect_success();
    }
    drive
        .secrets
        .assert_absent_from("the output of the command line", &all);
}

async fn retried(drive: &Drive, access: &str) {
    let key = drive.record("an idempotency key", "0b9f-once-and-never-again-4711");
    for _ in 0..2 {
        let add = drive
            .request(reqwest::Method::PUT, "/api/files/a.nc/content")
            .bearer_auth(access);
        drive
            .expect_success(
                add.header("idempotency-key", &key)
                    .multipart(upload_form("G0 X0", "added")),
            )
            .await;
    }
    let other = drive
        .request(reqwest::Method::PUT, "/api/files/b.nc/content")
        .bearer_auth(access);
    drive
        .expect_rejection(
            other
                .header("idempotency-key", &key)
                .multipart(upload_form("G1 X1", "added")),
        )
        .await;
}
