//! Second factors: TOTP secrets and codes, recovery codes, passkeys.

use reqwest::Method;
use serde_json::{Value, json};

use super::{THIRD_PASSWORD, WRONG_PASSWORD, recording_client::RecordingClient};
use crate::{passkey_device::TestAuthenticator, totp_device::TotpDevice};

/// Bob enrolls an authenticator app and signs in with it; carol does so with a passkey.
pub(super) async fn run(client: &RecordingClient) {
    let codes = totp(client).await;
    recovery_codes(client, &codes).await;
    passkey(client).await;
}

fn now() -> i64 {
    auth::Clock::system().now().as_second()
}

async fn totp(client: &RecordingClient) -> Vec<String> {
    let bob = client.sign_in("bob", THIRD_PASSWORD).await;
    let begun = client
        .expect(200, client.post("/auth/totp").bearer_auth(&bob))
        .await;
    let phone = TotpDevice::from_base32(&client.record("an app's seed", begun.member("secret")));
    client
        .secrets
        .record_bytes("an app's seed in bytes", &phone.secret);
    client.record("an app's address", begun.member("uri"));
    let code = client
        .secrets
        .record_code("an app's code", &phone.code_at(now()));
    client
        .expect(
            422,
            client
                .post("/auth/totp/confirm")
                .bearer_auth(&bob)
                .json(&json!({"code": wrong_code(&code)})),
        )
        .await;
    let done = client
        .expect(
            201,
            client
                .post("/auth/totp/confirm")
                .bearer_auth(&bob)
                .json(&json!({"code": code})),
        )
        .await;
    let codes = done.body["recovery_codes"].as_array().unwrap().iter();
    let codes: Vec<_> = codes
        .map(|code| client.record("a recovery code", code.as_str().unwrap()))
        .collect();
    sign_in_with_totp(client, &phone, &code).await;
    codes
}

/// Rejected without a code, with `used` and with a wrong one. The next code signs bob in.
async fn sign_in_with_totp(client: &RecordingClient, phone: &TotpDevice, used: &str) {
    let with = |otp: &str| {
        client.post("/auth/token").form(&[
            ("username", "bob"),
            ("password", THIRD_PASSWORD),
            ("otp", otp),
        ])
    };
    client
        .expect(
            401,
            client
                .post("/auth/token")
                .form(&[("username", "bob"), ("password", THIRD_PASSWORD)]),
        )
        .await;
    // A code that is used already, and a wrong one.
    client.expect(401, with(used)).await;
    client
        .expect(
            401,
            with(
                &client
                    .secrets
                    .record_code("a wrong code", &wrong_code(used)),
            ),
        )
        .await;
    let next = client
        .secrets
        .record_code("an app's next code", &phone.code_at(now() + 30));
    let signed_in = client.expect(200, with(&next)).await;
    client.record("an access token", signed_in.member("access_token"));
    client.record("a refresh token", signed_in.member("refresh_token"));
}

/// A different code of six digits.
fn wrong_code(code: &str) -> String {
    code.bytes()
        .map(|digit| char::from(b'0' + (digit - b'0' + 5) % 10))
        .collect()
}

async fn recovery_codes(client: &RecordingClient, codes: &[String]) {
    let first = client
        .expect(
            303,
            client
                .post("/sign-in")
                .form(&[("username", "bob"), ("password", THIRD_PASSWORD)]),
        )
        .await;
    let mfa_cookie = client.record_cookies(&first);
    let second = |otp: &str| {
        client
            .post("/sign-in/second")
            .header("cookie", &mfa_cookie)
            .form(&[("otp", otp)])
    };
    client
        .expect(
            401,
            second(&client.record(
                "a wrong recovery code",
                &codes[0].chars().rev().collect::<String>(),
            )),
        )
        .await;
    let cookies = client.record_cookies(&client.expect(303, second(&codes[0])).await);
    let by_cookie = |method, path| client.request(method, path).header("cookie", &cookies);
    let step_up = |password: &str, otp: &str| {
        by_cookie(Method::POST, "/auth/step-up").json(&json!({"password": password, "otp": otp}))
    };
    client.expect(403, step_up(WRONG_PASSWORD, &codes[1])).await;
    client.expect(200, step_up(THIRD_PASSWORD, &codes[1])).await;
    let fresh = client
        .expect(201, by_cookie(Method::POST, "/auth/recovery-codes"))
        .await;
    for code in fresh.body["recovery_codes"].as_array().unwrap() {
        client.record("a recovery code", code.as_str().unwrap());
    }
    for page in ["/account", "/account/factors", "/account/security"] {
        client.expect(200, by_cookie(Method::GET, page)).await;
    }
}

async fn passkey(client: &RecordingClient) {
    let carol = client.sign_in("carol", THIRD_PASSWORD).await;
    let mut key = TestAuthenticator::new(&client.url);
    let options = client
        .expect(
            200,
            client.post("/auth/passkeys/options").bearer_auth(&carol),
        )
        .await;
    record_ceremony(client, &options.body);
    let credential = key.create_credential(&options.body["publicKey"]);
    let mut body =
        json!({"ceremony": options.body["ceremony"], "name": "Key", "credential": credential});
    let added = client
        .expect(
            201,
            client
                .post("/auth/passkeys")
                .bearer_auth(&carol)
                .json(&body),
        )
        .await;
    for code in added.body["recovery_codes"].as_array().unwrap() {
        client.record("a recovery code", code.as_str().unwrap());
    }
    client
        .expect(
            410,
            client
                .post("/auth/passkeys")
                .bearer_auth(&carol)
                .json(&body),
        )
        .await;
    body["credential"]["response"] = json!("no response");
    client
        .expect(
            410,
            client
                .post("/auth/passkeys")
                .bearer_auth(&carol)
                .json(&body),
        )
        .await;
    passkey_sign_in(client, &mut key).await;
}

async fn passkey_sign_in(client: &RecordingClient, key: &mut TestAuthenticator) {
    let options = client
        .expect(200, client.post("/auth/passkeys/sign-in/options"))
        .await;
    let browser = client.record_cookies(&options);
    record_ceremony(client, &options.body);
    let credential = key.get_assertion(&options.body["publicKey"]);
    client.record(
        "a passkey's signature",
        credential["response"]["signature"].as_str().unwrap(),
    );
    let body = json!({"ceremony": options.body["ceremony"], "credential": credential});
    let finish = || client.post("/auth/passkeys/sign-in").json(&body);
    client.expect(410, finish()).await;
    let signed_in = client
        .expect(204, finish().header("cookie", &browser))
        .await;
    client.record_cookies(&signed_in);
    client
        .expect(410, finish().header("cookie", &browser))
        .await;
}

fn record_ceremony(client: &RecordingClient, options: &Value) {
    client.record("a ceremony", options["ceremony"].as_str().unwrap());
    client.record(
        "a challenge",
        options["publicKey"]["challenge"].as_str().unwrap(),
    );
}
