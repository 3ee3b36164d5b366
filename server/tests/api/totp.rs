//! Users with an authenticator app.

use crate::app::{Client, PASSWORD, TestApp, TestResponse};

pub(crate) use crate::totp_device::TotpDevice;

impl TotpDevice {
    /// The code at the server's time, `steps` of 30 s ahead.
    pub(crate) fn shows(&self, app: &TestApp, steps: i64) -> String {
        self.code_at(app.now().as_second() + 30 * steps)
    }
}

/// Enrolls an app. Returns it and the recovery codes. The present time step is used up.
pub(crate) async fn enroll_totp(app: &TestApp, client: &Client) -> (TotpDevice, Vec<String>) {
    let begun = client
        .post("/auth/totp", serde_json::Value::Null)
        .await
        .expect_status(200)
        .body;
    let phone = TotpDevice::from_base32(begun["secret"].as_str().unwrap());
    let code = serde_json::json!({"code": phone.shows(app, 0)});
    let done = client
        .post("/auth/totp/confirm", code)
        .await
        .expect_status(201)
        .body;
    let codes = done["recovery_codes"].as_array().unwrap();
    (
        phone,
        codes
            .iter()
            .map(|code| code.as_str().unwrap().to_owned())
            .collect(),
    )
}

/// `POST /auth/token` with a code, or without one.
pub(crate) async fn sign_in_with_otp(app: &TestApp, name: &str, otp: Option<&str>) -> TestResponse {
    let mut form = vec![("username", name), ("password", PASSWORD)];
    form.extend(otp.map(|otp| ("otp", otp)));
    let anonymous = app.anonymous();
    anonymous
        .send(anonymous.post_request("/auth/token").form(&form))
        .await
}

/// A client with the tokens of a token response.
pub(crate) fn client_from(app: &TestApp, name: &str, answer: &TestResponse) -> Client {
    let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
    let (token, refresh) = (Some(text("access_token")), text("refresh_token"));
    Client {
        token,
        refresh,
        username: name.to_owned(),
        ..app.anonymous()
    }
}
