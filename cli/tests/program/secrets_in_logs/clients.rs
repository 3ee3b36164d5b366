//! OAuth clients: device codes, authorization codes, `strongroom login`; and idempotency keys.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::recording_client::{Answer, RecordingClient};
use crate::{
    remote::{PendingLogin, decide_as},
    test_program::upload_form,
};

// RFC 7636, appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://127.0.0.1:49152/callback";
const STATE: &str = "a program's own state & more";

pub(super) async fn run(client: &RecordingClient, access: &str) {
    device(client, access).await;
    authorization_code(client, access).await;
    command_line(client, access).await;
    retried(client, access).await;
}

fn record_tokens(client: &RecordingClient, answer: &Answer) {
    client.record("a program's access token", answer.member("access_token"));
    client.record("a program's refresh token", answer.member("refresh_token"));
}

async fn device(client: &RecordingClient, access: &str) {
    let begun = client
        .expect(
            200,
            client.post("/auth/device").form(&[("scope", "files:read")]),
        )
        .await;
    let code = client.record("a device code", begun.member("device_code"));
    let typed = client.record("a user code", begun.member("user_code"));
    let cookie = client.sign_in_with_form().await;
    client
        .expect(
            200,
            client
                .get(&format!("/device?user_code={typed}"))
                .header("cookie", &cookie),
        )
        .await;
    let post_json = |path, body: Value| client.post(path).bearer_auth(access).json(&body);
    let wrong = if typed == "BBBB-BBBB" {
        "CCCC-CCCC"
    } else {
        "BBBB-BBBB"
    };
    client
        .expect(
            404,
            post_json(
                "/auth/device/look",
                json!({"user_code": client.record("a wrong user code", wrong)}),
            ),
        )
        .await;
    let pending = client
        .expect(
            200,
            post_json("/auth/device/look", json!({"user_code": typed})),
        )
        .await;
    let decision =
        json!({"user_code": typed, "request": pending.body["request"], "decision": "approve"});
    client
        .expect(204, post_json("/auth/device/decide", decision))
        .await;
    let poll = |code: &str| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        client
            .post("/auth/token")
            .form(&[("grant_type", grant), ("device_code", code)])
    };
    client
        .expect(400, poll(&format!("{}AAAA", &code[..code.len() - 4])))
        .await;
    record_tokens(client, &client.expect(200, poll(&code)).await);
    client.expect(400, poll(&code)).await;
}

async fn authorization_code(client: &RecordingClient, access: &str) {
    let state = client.record("a program's state", STATE);
    let mut params = json!({
        "client_id": "strongroom-cli", "redirect_uri": BACK, "response_type": "code", "scope": "files:read",
        "state": state, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let cookie = client.sign_in_with_form().await;
    let members = params
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name, value.as_str().unwrap()));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(members)
        .finish();
    client
        .expect(
            200,
            client
                .get(&format!("/auth/authorize?{query}"))
                .header("cookie", &cookie),
        )
        .await;
    params["decision"] = json!("approve");
    for redeem in ["wrongly", "well"] {
        let code = approve(client, access, &params).await;
        let verifier = client.record("a verifier", VERIFIER);
        let reversed: String = verifier.chars().rev().collect();
        if redeem == "wrongly" {
            client
                .expect(
                    400,
                    redeemed(client, &code, &client.record("another verifier", &reversed)),
                )
                .await;
        } else {
            record_tokens(
                client,
                &client.expect(200, redeemed(client, &code, &verifier)).await,
            );
        }
        client.expect(400, redeemed(client, &code, &verifier)).await;
    }
}

/// Returns the authorization code.
async fn approve(client: &RecordingClient, access: &str, params: &Value) -> String {
    let printed = client
        .expect(
            200,
            client
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
    client.record("an authorization code", &code)
}

fn redeemed(client: &RecordingClient, code: &str, verifier: &str) -> RequestBuilder {
    let named = [("client_id", "strongroom-cli"), ("redirect_uri", BACK)];
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", verifier),
    ];
    client
        .post("/auth/token")
        .form(&[&form[..], &named].concat())
}

/// Searches the output of the command line for tokens, too.
async fn command_line(client: &RecordingClient, access: &str) {
    let login = PendingLogin::start(&client.program, &client.url);
    let code = client.record("the command line's user code", &login.code);
    decide_as(
        &crate::test_program::Client::new(&client.server, access),
        &code,
        "approve",
    )
    .await;
    let (well, printed) = login.finish();
    assert!(well, "{printed}");
    let credentials = client.program.credentials_json();
    let stored = |what: &str| {
        credentials["servers"][&client.url][what]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for what in ["access_token", "refresh_token"] {
        client.record(&format!("the command line's {what}"), &stored(what));
    }
    let mut all = printed;
    for command in ["whoami", "logout"] {
        let printed = client
            .program
            .run_client(&[command, &client.url, "--log", "trace"]);
        all.extend([printed.out.as_str(), &printed.err]);
        printed.expect_success();
    }
    client
        .secrets
        .assert_absent_from("the output of the command line", &all);
}

async fn retried(client: &RecordingClient, access: &str) {
    let key = client.record("an idempotency key", "0b9f-once-and-never-again-4711");
    for _ in 0..2 {
        let add = client
            .request(reqwest::Method::PUT, "/api/files/a.nc/content")
            .bearer_auth(access);
        client
            .expect(
                201,
                add.header("idempotency-key", &key)
                    .multipart(upload_form("G0 X0", "added")),
            )
            .await;
    }
    let other = client
        .request(reqwest::Method::PUT, "/api/files/b.nc/content")
        .bearer_auth(access);
    client
        .expect(
            422,
            other
                .header("idempotency-key", &key)
                .multipart(upload_form("G1 X1", "added")),
        )
        .await;
}
