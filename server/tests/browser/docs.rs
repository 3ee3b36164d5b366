//! The API page: authorize, then call an operation.

use crate::{app::PASSWORD, stage::Stage};

#[tokio::test(flavor = "multi_thread")]
async fn api_page_signs_in_and_sends_requests() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    stage.app.editor("ada").await;
    let ada = stage.window("ada").await;
    ada.goto("/docs").await;
    ada.reads(".swagger-ui .title", "Strongroom").await;
    ada.reads(".swagger-ui #operations-tag-Files", "Files")
        .await;
    ada.reads(".swagger-ui", "/api/files/{filename}/checkout")
        .await;
    ada.clicks(".btn.authorize").await;
    ada.writes(".modal-ux #oauth_username", "ada").await;
    ada.writes(".modal-ux #oauth_password", PASSWORD).await;
    ada.is_sized(1280, 1600).await;
    ada.clicks(".modal-ux .auth-container:has(#oauth_username) .btn.modal-btn.authorize")
        .await;
    ada.reads(".modal-ux", "Logout").await;
    ada.clicks(".modal-ux .btn-done").await;
    ada.clicks("[data-path='/auth/me']").await;
    ada.clicks(".opblock:has([data-path='/auth/me']) .execute")
        .await;
    ada.reads(
        ".opblock:has([data-path='/auth/me']) .live-responses-table",
        "\"username\": \"ada\"",
    )
    .await;
    ada.has_no_complaints().await;
}
