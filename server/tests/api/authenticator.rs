//! An authenticator app of our own, by RFC 4226 and 6238, so that the server's is tried against another one.

use aws_lc_rs::hmac;

use crate::app::{Answer, Client, PASSWORD, TestApp};

#[derive(Clone)]
pub(crate) struct App {
    secret: Vec<u8>,
}

impl App {
    /// From the Base32 (RFC 4648 §6) that people type.
    pub(crate) fn typed(secret: &str) -> Self {
        let value = |c: u8| match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            other => panic!("{other} is not Base32"),
        };
        let bits = secret.bytes().fold(String::new(), |bits, c| bits + &format!("{:05b}", value(c)));
        let bytes = bits.as_bytes().chunks_exact(8).map(|byte| std::str::from_utf8(byte).unwrap());
        Self { secret: bytes.map(|byte| u8::from_str_radix(byte, 2).unwrap()).collect() }
    }

    /// What it shows when the server's clock says now, `steps` of 30 s ahead.
    pub(crate) fn shows(&self, app: &TestApp, steps: i64) -> String {
        let step = app.now().as_second() / 30 + steps;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let at = usize::from(tag.as_ref()[19] & 15);
        let four: [u8; 4] = tag.as_ref()[at..at + 4].try_into().unwrap();
        format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
    }
}

/// Somebody who has turned on an app, and their recovery codes. The present step is used up.
pub(crate) async fn with_app(app: &TestApp, client: &Client) -> (App, Vec<String>) {
    let begun = client.tell("/auth/totp", serde_json::Value::Null).await.is(200).body;
    let phone = App::typed(begun["secret"].as_str().unwrap());
    let code = serde_json::json!({"code": phone.shows(app, 0)});
    let done = client.tell("/auth/totp/confirm", code).await.is(201).body;
    let codes = done["recovery_codes"].as_array().unwrap();
    (phone, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

/// `POST /auth/token` with a code, or without one.
pub(crate) async fn sign_in(app: &TestApp, name: &str, otp: Option<&str>) -> Answer {
    let mut form = vec![("username", name), ("password", PASSWORD)];
    form.extend(otp.map(|otp| ("otp", otp)));
    let anonymous = app.anonymous();
    anonymous.ask(anonymous.post("/auth/token").form(&form)).await
}

/// The client of an answer of the token endpoint.
pub(crate) fn client(app: &TestApp, name: &str, answer: &Answer) -> Client {
    let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
    let (token, refresh) = (Some(text("access_token")), text("refresh_token"));
    Client { token, refresh, username: name.to_owned(), ..app.anonymous() }
}
