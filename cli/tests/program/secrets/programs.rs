//! Programs that are let in: device codes, authorization codes, `strongroom login`; and keys of requests.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::drive::{Drive, Heard};
use crate::{
    program::upload,
    remote::{Waiting, decide_as},
};

// RFC 7636, appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://127.0.0.1:49152/callback";
const STATE: &str = "a program's own state & more";

pub(super) async fn programs(drive: &Drive, access: &str) {
    device(drive, access).await;
    authorization_code(drive, access).await;
    command_line(drive, access).await;
    retried(drive, access).await;
}

fn keep_tokens(drive: &Drive, heard: &Heard) {
    drive.keep("a program's access token", heard.text_of("access_token"));
    drive.keep("a program's refresh token", heard.text_of("refresh_token"));
}

async fn device(drive: &Drive, access: &str) {
    let begun = drive
        .well(drive.post("/auth/device").form(&[("scope", "files:read")]))
        .await;
    let code = drive.keep("a device code", begun.text_of("device_code"));
    let typed = drive.keep("a user code", begun.text_of("user_code"));
    let cookie = drive.sign_in_on_the_page().await;
    drive
        .well(
            drive
                .get(&format!("/device?user_code={typed}"))
                .header("cookie", &cookie),
        )
        .await;
    let tell = |path, body: Value| drive.post(path).bearer_auth(access).json(&body);
    let wrong = if typed == "BBBB-BBBB" {
        "CCCC-CCCC"
    } else {
        "BBBB-BBBB"
    };
    drive
        .refused(tell(
            "/auth/device/look",
            json!({"user_code": drive.keep("a wrong user code", wrong)}),
        ))
        .await;
    let seen = drive
        .well(tell("/auth/device/look", json!({"user_code": typed})))
        .await;
    let decision =
        json!({"user_code": typed, "request": seen.body["request"], "decision": "approve"});
    drive.well(tell("/auth/device/decide", decision)).await;
    let poll = |code: &str| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        drive
            .post("/auth/token")
            .form(&[("grant_type", grant), ("device_code", code)])
    };
    drive
        .refused(poll(&format!("{}AAAA", &code[..code.len() - 4])))
        .await;
    keep_tokens(drive, &drive.well(poll(&code)).await);
    drive.refused(poll(&code)).await;
}

async fn authorization_code(drive: &Drive, access: &str) {
    let state = drive.keep("a program's state", STATE);
    let mut asked = json!({
        "client_id": "strongroom-cli", "redirect_uri": BACK, "response_type": "code", "scope": "files:read",
        "state": state, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let cookie = drive.sign_in_on_the_page().await;
    let members = asked
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name, value.as_str().unwrap()));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(members)
        .finish();
    drive
        .well(
            drive
                .get(&format!("/auth/authorize?{query}"))
                .header("cookie", &cookie),
        )
        .await;
    asked["decision"] = json!("approve");
    for redeem in ["wrongly", "well"] {
        let said = drive
            .well(
                drive
                    .post("/auth/authorize")
                    .bearer_auth(access)
                    .json(&asked),
            )
            .await;
        let query = said.text_of("redirect_to").split_once('?').unwrap().1;
        let code = form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "code")
            .unwrap()
            .1;
        let code = drive.keep("an authorization code", &code);
        let verifier = drive.keep("a verifier", VERIFIER);
        let reversed: String = verifier.chars().rev().collect();
        if redeem == "wrongly" {
            drive
                .refused(redeemed(
                    drive,
                    &code,
                    &drive.keep("another verifier", &reversed),
                ))
                .await;
        } else {
            keep_tokens(drive, &drive.well(redeemed(drive, &code, &verifier)).await);
        }
        drive.refused(redeemed(drive, &code, &verifier)).await;
    }
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

/// What the command line says is read for tokens too.
async fn command_line(drive: &Drive, access: &str) {
    let waiting = Waiting::at(&drive.program, &drive.url);
    let code = drive.keep("the command line's user code", &waiting.code);
    decide_as(
        &crate::program::Client::new(&drive.server, access),
        &code,
        "approve",
    )
    .await;
    let (well, said) = waiting.ends();
    assert!(well, "{said}");
    let kept = drive.program.kept_json();
    let held = |what: &str| {
        kept["servers"][&drive.url][what]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for what in ["access_token", "refresh_token"] {
        drive.keep(&format!("the command line's {what}"), &held(what));
    }
    let mut all = said;
    for command in ["whoami", "logout"] {
        let said = drive.program.say(&[command, &drive.url, "--log", "trace"]);
        all.extend([said.out.as_str(), &said.err]);
        said.well();
    }
    drive
        .secrets
        .assert_absent_from("what the command line said", &all);
}

async fn retried(drive: &Drive, access: &str) {
    let key = drive.keep("a key of a request", "0b9f-once-and-never-again-4711");
    for _ in 0..2 {
        let add = drive
            .ask(reqwest::Method::PUT, "/api/files/a.nc/content")
            .bearer_auth(access);
        drive
            .well(
                add.header("idempotency-key", &key)
                    .multipart(upload("G0 X0", "added")),
            )
            .await;
    }
    let other = drive
        .ask(reqwest::Method::PUT, "/api/files/b.nc/content")
        .bearer_auth(access);
    drive
        .refused(
            other
                .header("idempotency-key", &key)
                .multipart(upload("G1 X1", "added")),
        )
        .await;
}
