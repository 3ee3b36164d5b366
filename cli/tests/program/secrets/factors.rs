//! Second factors: TOTP secrets and codes, recovery codes, passkeys.

use reqwest::Method;
use serde_json::{Value, json};

use super::{THIRD_PASSWORD, WRONG_PASSWORD, run_deployment::Drive};
use crate::{passkey_device::TestAuthenticator, totp_device::TotpDevice};

/// Bob enrolls an authenticator app and signs in with it; carol does so with a passkey.
pub(super) async fn run(drive: &Drive) {
    let codes = totp(drive).await;
    recovery_codes(drive, &codes).await;
    passkey(drive).await;
}

fn now() -> i64 {
    auth::Clock::system().now().as_second()
}

async fn totp(drive: &Drive) -> Vec<String> {
    let bob = drive.sign_in("bob", THIRD_PASSWORD).await;
    let begun = drive
        .expect_success(drive.post("/auth/totp").bearer_auth(&bob))
        .await;
    let phone = TotpDevice::from_base32(&drive.record("an app's seed", begun.member("secret")));
    drive
        .secrets
        .record_bytes("an app's seed in bytes", &phone.secret);
    drive.record("an app's address", begun.member("uri"));
    let code = drive
        .secrets
        .record_code("an app's code", &phone.code_at(now()));
    drive
        .expect_rejection(
            drive
                .post("/auth/totp/confirm")
                .bearer_auth(&bob)
                .json(&json!({"code": wrong_code(&code)})),
        )
        .await;
    let done = drive
        .expect_success(
            drive
                .post("/auth/totp/confirm")
                .bearer_auth(&bob)
                .json(&json!({"code": code})),
        )
        .await;
    let codes = done.body["recovery_codes"].as_array().unwrap().iter();
    let codes: Vec<_> = codes
        .map(|code| drive.record("a recovery code", code.as_str().unwrap()))
        .collect();
    sign_in_with_totp(drive, &phone, &code).await;
    codes
}

/// Rejected without a code, with `used` and with a wrong one. The next code signs bob in.
async fn sign_in_with_totp(drive: &Drive, phone: &TotpDevice, used: &str) {
    let with = |otp: &str| {
        drive.post("/auth/token").form(&[
            ("username", "bob"),
            ("password", THIRD_PASSWORD),
            ("otp", otp),
        ])
    };
    drive
        .expect_rejection(
            drive
                .post("/auth/token")
                .form(&[("username", "bob"), ("password", THIRD_PASSWORD)]),
        )
        .await;
    // A code that is used already, and a wrong one.
    drive.expect_rejection(with(used)).await;
    drive
        .expect_rejection(with(
            &drive.secrets.record_code("a wrong code", &wrong_code(used)),
        ))
        .await;
    let next = drive
        .secrets
        .record_code("an app's next code", &phone.code_at(now() + 30));
    let signed_in = drive.expect_success(with(&next)).await;
    drive.record("an access token", signed_in.member("access_token"));
    drive.record("a refresh token", signed_in.member("refresh_token"));
}

/// A different code of six digits.
fn wrong_code(code: &str) -> String {
    code.bytes()
        .map(|digit| char::from(b'0' + (digit - b'0' + 5) % 10))
        .collect()
}

async fn recovery_codes(drive: &Drive, codes: &[String]) {
    let first = drive
        .expect_success(
            drive
                .post("/sign-in")
                .form(&[("username", "bob"), ("password", THIRD_PASSWORD)]),
        )
        .await;
    let mfa_cookie = drive.record_cookies(&first);
    let second = |otp: &str| {
        drive
            .post("/sign-in/second")
            .header("cookie", &mfa_cookie)
            .form(&[("otp", otp)])
    };
    drive
        .expect_rejection(second(&drive.record(
            "a wrong recovery code",
            &codes[0].chars().rev().collect::<String>(),
        )))
        .await;
    let cookies = drive.record_cookies(&drive.expect_success(second(&codes[0])).await);
    let by_cookie = |method, path| drive.request(method, path).header("cookie", &cookies);
    let step_up = |password: &str, otp: &str| {
        by_cookie(Method::POST, "/auth/step-up").json(&json!({"password": password, "otp": otp}))
    };
    drive
        .expect_rejection(step_up(WRONG_PASSWORD, &codes[1]))
        .await;
    drive
        .expect_success(step_up(THIRD_PASSWORD, &codes[1]))
        .await;
    let fresh = drive
        .expect_success(by_cookie(Method::POST, "/auth/recovery-codes"))
        .await;
    for code in fresh.body["recovery_codes"].as_array().unwrap() {
        drive.record("a recovery code", code.as_str().unwrap());
    }
    for page in ["/account", "/account/factors", "/account/security"] {
        drive.expect_success(by_cookie(Method::GET, page)).await;
    }
}

async fn passkey(drive: &Drive) {
    let carol = drive.sign_in("carol", THIRD_PASSWORD).await;
    let mut key = TestAuthenticator::new(&drive.url);
    let options = drive
        .expect_success(drive.post("/auth/passkeys/options").bearer_auth(&carol))
        .await;
    record_ceremony(drive, &options.body);
    let credential = key.create_credential(&options.body["publicKey"]);
    let mut body =
        json!({"ceremony": options.body["ceremony"], "name": "Key", "credential": credential});
    let added = drive
        .expect_success(drive.post("/auth/passkeys").bearer_auth(&carol).json(&body))
        .await;
    for code in added.body["recovery_codes"].as_array().unwrap() {
        drive.record("a recovery code", code.as_str().unwrap());
    }
    drive
        .expect_rejection(drive.post("/auth/passkeys").bearer_auth(&carol).json(&body))
        .await;
    body["credential"]["response"] = json!("no response");
    drive
        .expect_rejection(drive.post("/auth/passkeys").bearer_auth(&carol).json(&body))
        .await;
    let options = drive
        .expect_success(drive.post("/auth/passkeys/sign-in/options"))
        .await;
    let browser = drive.record_cookies(&options);
    record_ceremony(drive, &options.body);
    let credential = key.get_assertion(&options.body["publicKey"]);
    drive.record(
        "a passkey's signature",
        credential["response"]["signature"].as_str().unwrap(),
    );
    let body = json!({"ceremony": options.body["ceremony"], "credential": credential});
    let finish = || drive.post("/auth/passkeys/sign-in").json(&body);
    drive.expect_rejection(finish()).await;
    let signed_in = drive
        .expect_success(finish().header("cookie", &browser))
        .await;
    drive.record_cookies(&signed_in);
    drive
        .expect_rejection(finish().header("cookie", &browser))
        .await;
}

fn record_ceremony(drive: &Drive, options: &Value) {
    drive.record("a ceremony", options["ceremony"].as_str().unwrap());
    drive.record(
        "a challenge",
        options["publicKey"]["challenge"].as_str().unwrap(),
    );
}
