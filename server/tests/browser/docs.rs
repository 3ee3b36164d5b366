//! The API page: authorize, then call an operation.

use crate::{app::PASSWORD, browser_test::BrowserTest};

#[tokio::test(flavor = "multi_thread")]
async fn api_page_signs_in_and_sends_requests() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    stage.app.editor("ada").await;
    let ada = stage.new_window("ada").await;
    ada.goto("/docs").await;
    ada.expect_text(".swagger-ui .title", "Strongroom").await;
    ada.expect_text(".swagger-ui #operations-tag-Files", "Files")
        .await;
    ada.expect_text(".swagger-ui", "/api/files/{filename}/checkout")
        .await;
    ada.click(".btn.authorize").await;
    ada.fill(".modal-ux #oauth_username", "ada").await;
    ada.fill(".modal-ux #oauth_password", PASSWORD).await;
    ada.resize(1280, 1600).await;
    ada.click(".modal-ux .auth-container:has(#oauth_username) .btn.modal-btn.authorize")
        .await;
    ada.expect_text(".modal-ux", "Logout").await;
    ada.click(".modal-ux .btn-done").await;
    ada.click("[data-path='/auth/me']").await;
    ada.click(".opblock:has([data-path='/auth/me']) .execute")
        .await;
    ada.expect_text(
        ".opblock:has([data-path='/auth/me']) .live-responses-table",
        "\"username\": \"ada\"",
    )
    .await;
    ada.expect_no_console_errors().await;
}
