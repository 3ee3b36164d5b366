//! Second factors: enrollment, use and loss.

use std::time::Duration;

use serde_json::Value;

use crate::{
    app::{PASSWORD, TestApp},
    browser_test::BrowserTest,
    totp::TotpDevice,
    window::Window,
};

/// Enrolls an authenticator app on the page. Returns the app and the recovery codes.
async fn enroll_totp(ada: &Window, app: &TestApp) -> (TotpDevice, Vec<String>) {
    ada.goto("/account/factors").await;
    ada.click("#app-begin").await;
    ada.expect_visible("#app-qr").await;
    ada.wait_for_js("document.querySelector('#app-qr').naturalWidth > 100")
        .await;
    let secret = ada
        .evaluate("document.querySelector('#app-secret').textContent")
        .await;
    let phone = TotpDevice::from_base32(&secret.as_str().unwrap().replace(' ', ""));
    ada.fill("#app-form [name=code]", "000000").await;
    ada.click("#app-form [data-submit]").await;
    ada.expect_visible("#app-form [data-error]").await;
    ada.fill("#app-form [name=code]", &phone.shows(app, 0))
        .await;
    ada.click("#app-form [data-submit]").await;
    ada.wait_for_js("document.querySelectorAll('#codes-list li').length === 10")
        .await;
    let codes = ada
        .evaluate("[...document.querySelectorAll('#codes-list li')].map((it) => it.textContent)")
        .await;
    let codes = codes
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect();
    ada.click("#codes-dialog [data-submit]").await;
    ada.expect_text("#app", "On").await;
    ada.expect_text("#codes-left", "10 left").await;
    (phone, codes)
}

async fn go_to_mfa_page(ada: &Window) {
    ada.goto("/").await;
    ada.click("#user-menu summary").await;
    ada.click("#sign-out").await;
    ada.expect_path("/sign-in").await;
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#sign-in button.primary").await;
    ada.expect_path("/sign-in/second").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn totp_is_enrolled_and_required_at_sign_in() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let (phone, _) = enroll_totp(&ada, &stage.app).await;
    stage.app.advance_clock(Duration::from_secs(30));
    go_to_mfa_page(&ada).await;
    ada.fill("#otp", "000000").await;
    ada.click("#second-app button.primary").await;
    ada.expect_text("#message", "The code is wrong").await;
    ada.fill("#otp", &phone.shows(&stage.app, 0)).await;
    ada.click("#second-app button.primary").await;
    ada.expect_path("/").await;
    ada.wait_until_live().await;
    // No sign-in is pending, so the page redirects.
    ada.goto("/sign-in/second").await;
    ada.expect_path("/").await;
    ada.expect_only_console_errors(&["status of 401", "status of 422"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_code_signs_in_on_the_mfa_page() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let (_, codes) = enroll_totp(&ada, &stage.app).await;
    go_to_mfa_page(&ada).await;
    ada.click("#second-recovery summary").await;
    ada.fill("#recovery", &codes[3].to_lowercase()).await;
    ada.click("#second-recovery button.primary").await;
    ada.expect_path("/").await;
    ada.goto("/account/factors").await;
    ada.expect_text("#codes-left", "9 left").await;
    ada.click("#app-remove").await;
    ada.click("#remove-dialog [data-submit]").await;
    ada.expect_visible("#app-begin").await;
    ada.expect_hidden("#codes").await;
    ada.expect_only_console_errors(&["status of 422"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_up_dialog_confirms_and_resumes_the_action() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    stage.app.editor("ben").await;
    ada.goto("/admin/users").await;
    stage.app.advance_clock(Duration::from_mins(11));
    let disable = async || {
        ada.click("[data-user=ben] .more summary").await;
        ada.click("[data-user=ben] [data-action=disable]").await;
        ada.click("#confirm-dialog [data-submit]").await;
        ada.expect_visible("#step-up-dialog [name=password]").await;
    };
    disable().await;
    ada.expect_hidden("#step-up-code").await;
    ada.click("#step-up-dialog [data-close]").await;
    ada.expect_text("#users-error", "Nothing was changed").await;
    disable().await;
    ada.fill("#step-up-dialog [name=password]", "wrong wrong wrong")
        .await;
    ada.click("#step-up-dialog [data-submit]").await;
    ada.expect_text("#step-up-dialog [data-error]", "is wrong")
        .await;
    ada.fill("#step-up-dialog [name=password]", PASSWORD).await;
    ada.click("#step-up-dialog [data-submit]").await;
    ada.expect_text("#notices", "ben is signed out and cannot sign in.")
        .await;
    // The recent sign-in covers further actions for some minutes.
    ada.click("[data-user=ben] .more summary").await;
    ada.click("[data-user=ben] [data-action=enable]").await;
    ada.expect_text("#notices", "ben can sign in again.").await;
    ada.expect_only_console_errors(&["status of 401", "status of 403"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_override_on_page_requires_step_up() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let ben = stage.app.editor("ben").await;
    ben.add("gear.mcam", b"one").await.expect_status(201);
    ben.check_out("gear.mcam").await.expect_status(200);
    stage.app.advance_clock(Duration::from_mins(11));
    ada.goto("/v/main/h/gear.mcam").await;
    ada.wait_until_live().await;
    ada.click("[data-action=override], .actions summary").await;
    ada.click("[data-action=override]").await;
    ada.fill("#override-dialog [name=reason]", "He is on holiday")
        .await;
    ada.click("#override-dialog [data-submit]").await;
    ada.fill("#step-up-dialog [name=password]", PASSWORD).await;
    ada.click("#step-up-dialog [data-submit]").await;
    ada.expect_hidden("#override-dialog").await;
    let file = stage
        .app
        .sign_in("ben")
        .await
        .get("/api/files/gear.mcam")
        .await
        .expect_status(200)
        .body;
    assert_eq!(file["locked_by"], Value::Null);
    ada.expect_only_console_errors(&["status of 401"]).await;
}
