//! Second factors: an app's seed and codes, recovery codes, passkeys.

use reqwest::Method;
use serde_json::{Value, json};

use super::{THIRD, WRONG, drive::Drive};
use crate::{device::Device, phone::App};

/// Bob turns on an app and signs in with it; carol adds a passkey and does.
pub(super) async fn factors(drive: &Drive) {
    let codes = app(drive).await;
    recovery_codes(drive, &codes).await;
    passkey(drive).await;
}

fn now() -> i64 {
    auth::Clock::system().now().as_second()
}

async fn app(drive: &Drive) -> Vec<String> {
    let bob = drive.sign_in("bob", THIRD).await;
    let begun = drive.well(drive.post("/auth/totp").bearer_auth(&bob)).await;
    let phone = App::typed(&drive.keep("an app's seed", begun.text_of("secret")));
    drive
        .secrets
        .keep_bytes("an app's seed in bytes", &phone.secret);
    drive.keep("an app's address", begun.text_of("uri"));
    let code = drive
        .secrets
        .keep_code("an app's code", &phone.shows_at(now()));
    drive
        .refused(
            drive
                .post("/auth/totp/confirm")
                .bearer_auth(&bob)
                .json(&json!({"code": wrong(&code)})),
        )
        .await;
    let done = drive
        .well(
            drive
                .post("/auth/totp/confirm")
                .bearer_auth(&bob)
                .json(&json!({"code": code})),
        )
        .await;
    let codes = done.body["recovery_codes"].as_array().unwrap().iter();
    let codes: Vec<_> = codes
        .map(|code| drive.keep("a recovery code", code.as_str().unwrap()))
        .collect();
    let with = |otp: &str| {
        drive
            .post("/auth/token")
            .form(&[("username", "bob"), ("password", THIRD), ("otp", otp)])
    };
    drive
        .refused(
            drive
                .post("/auth/token")
                .form(&[("username", "bob"), ("password", THIRD)]),
        )
        .await;
    // Used up, and one that is none.
    drive.refused(with(&code)).await;
    drive
        .refused(with(
            &drive.secrets.keep_code("a wrong code", &wrong(&code)),
        ))
        .await;
    let next = drive
        .secrets
        .keep_code("an app's next code", &phone.shows_at(now() + 30));
    let signed_in = drive.well(with(&next)).await;
    drive.keep("an access token", signed_in.text_of("access_token"));
    drive.keep("a refresh token", signed_in.text_of("refresh_token"));
    codes
}

/// Another code, of six digits too.
fn wrong(code: &str) -> String {
    code.bytes()
        .map(|digit| char::from(b'0' + (digit - b'0' + 5) % 10))
        .collect()
}

async fn recovery_codes(drive: &Drive, codes: &[String]) {
    let first = drive
        .well(
            drive
                .post("/sign-in")
                .form(&[("username", "bob"), ("password", THIRD)]),
        )
        .await;
    let half_way = drive.keep_cookies(&first);
    let second = |otp: &str| {
        drive
            .post("/sign-in/second")
            .header("cookie", &half_way)
            .form(&[("otp", otp)])
    };
    drive
        .refused(second(&drive.keep(
            "a recovery code of nobody",
            &codes[0].chars().rev().collect::<String>(),
        )))
        .await;
    let cookies = drive.keep_cookies(&drive.well(second(&codes[0])).await);
    let by_cookie = |method, path| drive.ask(method, path).header("cookie", &cookies);
    let step_up = |password: &str, otp: &str| {
        by_cookie(Method::POST, "/auth/step-up").json(&json!({"password": password, "otp": otp}))
    };
    drive.refused(step_up(WRONG, &codes[1])).await;
    drive.well(step_up(THIRD, &codes[1])).await;
    let fresh = drive
        .well(by_cookie(Method::POST, "/auth/recovery-codes"))
        .await;
    for code in fresh.body["recovery_codes"].as_array().unwrap() {
        drive.keep("a recovery code", code.as_str().unwrap());
    }
    for page in ["/account", "/account/factors", "/account/security"] {
        drive.well(by_cookie(Method::GET, page)).await;
    }
}

async fn passkey(drive: &Drive) {
    let carol = drive.sign_in("carol", THIRD).await;
    let mut key = Device::at(&drive.url);
    let asked = drive
        .well(drive.post("/auth/passkeys/options").bearer_auth(&carol))
        .await;
    keep_ceremony(drive, &asked.body);
    let credential = key.create(&asked.body["publicKey"]);
    let mut body =
        json!({"ceremony": asked.body["ceremony"], "name": "Key", "credential": credential});
    let added = drive
        .well(drive.post("/auth/passkeys").bearer_auth(&carol).json(&body))
        .await;
    for code in added.body["recovery_codes"].as_array().unwrap() {
        drive.keep("a recovery code", code.as_str().unwrap());
    }
    drive
        .refused(drive.post("/auth/passkeys").bearer_auth(&carol).json(&body))
        .await;
    body["credential"]["response"] = json!("no response");
    drive
        .refused(drive.post("/auth/passkeys").bearer_auth(&carol).json(&body))
        .await;
    let asked = drive
        .well(drive.post("/auth/passkeys/sign-in/options"))
        .await;
    let browser = drive.keep_cookies(&asked);
    keep_ceremony(drive, &asked.body);
    let credential = key.get(&asked.body["publicKey"]);
    drive.keep(
        "a passkey's signature",
        credential["response"]["signature"].as_str().unwrap(),
    );
    let body = json!({"ceremony": asked.body["ceremony"], "credential": credential});
    let shown = || drive.post("/auth/passkeys/sign-in").json(&body);
    drive.refused(shown()).await;
    let signed_in = drive.well(shown().header("cookie", &browser)).await;
    drive.keep_cookies(&signed_in);
    drive.refused(shown().header("cookie", &browser)).await;
}

fn keep_ceremony(drive: &Drive, asked: &Value) {
    drive.keep("a ceremony", asked["ceremony"].as_str().unwrap());
    drive.keep(
        "a challenge",
        asked["publicKey"]["challenge"].as_str().unwrap(),
    );
}
