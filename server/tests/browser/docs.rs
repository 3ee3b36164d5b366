//! The API page: requests with the session of the page, and with an authorization of its own.

use serde_json::json;

use crate::{app::PASSWORD, browser_test::BrowserTest, totp::TotpDevice, window::Window};

const ME: &str = "#show_me";

impl Window {
    /// Sends the request of an operation without input, and waits for its status.
    async fn try_operation(&self, operation: &str, status: u16) {
        if self
            .evaluate(&format!("document.querySelector('{operation}').open"))
            .await
            == false
        {
            self.click(&format!("{operation} > summary")).await;
        }
        self.click(&format!("{operation} [data-send]")).await;
        self.expect_visible(&format!("{operation} [data-status='{status}']"))
            .await;
    }

    async fn authorize(&self, name: &str, code: &str) {
        self.click("#authorize").await;
        self.fill("#authorize-dialog [name=username]", name).await;
        self.fill("#authorize-dialog [name=password]", PASSWORD)
            .await;
        if !code.is_empty() {
            self.fill("#authorize-dialog [name=otp]", code).await;
        }
        self.click("#authorize-dialog [data-submit]").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn api_page_sends_requests_with_page_session() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    ada.goto("/docs").await;
    ada.expect_text("#operations", "/api/files/{filename}/checkout")
        .await;
    ada.expect_text("#authorized", "Requests are sent as ada")
        .await;
    ada.try_operation(ME, 200).await;
    ada.expect_text(&format!("{ME} [data-response]"), "\"username\": \"ada\"")
        .await;
    // A write, which needs the proof of the same origin beside the cookie.
    ada.click("#create_group > summary").await;
    ada.fill("#create_group textarea", r#"{"name": "welders"}"#)
        .await;
    ada.click("#create_group [data-send]").await;
    ada.expect_visible("#create_group [data-status='201']")
        .await;
    ada.click(".brand").await;
    ada.expect_path("/").await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorization_with_second_factor_ends_with_page() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.app.editor("ada").await;
    let started = ada
        .post("/auth/totp", serde_json::Value::Null)
        .await
        .expect_status(200);
    let phone = TotpDevice::from_base32(started.body["secret"].as_str().unwrap());
    let code = phone.shows(&stage.app, 0);
    ada.post("/auth/totp/confirm", json!({"code": code}))
        .await
        .expect_status(201);
    let sessions = async || {
        let listed = ada.get("/auth/sessions").await.expect_status(200);
        listed.body.as_array().unwrap().len()
    };
    let before = sessions().await;

    let window = stage.new_window("ada").await;
    window.goto("/docs").await;
    window.expect_text("#authorized", "not signed in").await;
    window.authorize("ada", "").await;
    window
        .expect_text("#authorize-dialog [data-error]", "second factor")
        .await;
    window
        .fill("#authorize-dialog [name=otp]", &phone.shows(&stage.app, 1))
        .await;
    window.click("#authorize-dialog [data-submit]").await;
    window
        .expect_text("#authorized", "with a session of ada")
        .await;
    window.try_operation(ME, 200).await;
    assert_eq!(sessions().await, before + 1);
    assert_eq!(window.evaluate("document.cookie").await, "");

    window.goto("/sign-in").await;
    window.expect_visible("#sign-in").await;
    for _ in 0..200 {
        if sessions().await == before {
            break;
        }
    }
    assert_eq!(sessions().await, before, "the page left a session behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_token_authorizes_the_api_page() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.app.editor("ada").await;
    let token = ada
        .post(
            "/auth/tokens",
            json!({"name": "docs", "scopes": ["files:read"]}),
        )
        .await
        .expect_status(201);
    let window = stage.new_window("ada").await;
    window.goto("/docs").await;
    window.click("#authorize").await;
    window
        .fill(
            "#authorize-dialog [name=token]",
            token.body["token"].as_str().unwrap(),
        )
        .await;
    window.click("#authorize-dialog [data-submit]").await;
    window
        .expect_text("#authorized", "the token that you authorized")
        .await;
    window.try_operation("#list_files_in_main", 200).await;
    window.click("#unauthorize").await;
    window.expect_text("#authorized", "not signed in").await;
    window.try_operation("#list_files_in_main", 401).await;
}
