//! Slow uploads.

use serde_json::json;

use crate::{browser_test::BrowserTest, vault::row_selector, window::Window};

#[tokio::test(flavor = "multi_thread")]
async fn upload_shows_progress_and_can_be_retried() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.limit_upload_speed(150_000).await;
    ada.click("[data-action=add]").await;
    ada.choose_files(
        "#add-input",
        &[stage.local_file("impeller.mcam", &vec![b'1'; 6_000_000])],
    )
    .await;
    ada.click("#add-submit").await;
    ada.expect_text("#uploads .upload-state", "of 6.0 MB").await;
    ada.wait_for_js("document.querySelector('#uploads progress:not([hidden])').value > 0")
        .await;
    ada.click("#add-dialog footer [data-close]").await;
    ada.expect_text("#uploads .upload-state", "Canceled").await;
    stage
        .app
        .sign_in("ada")
        .await
        .get("/api/files/impeller.mcam")
        .await
        .expect_status(404);
    ada.limit_upload_speed(-1).await;
    ada.click("#add-submit").await;
    ada.expect_hidden("#add-dialog").await;
    ada.expect_visible(&row_selector("impeller.mcam")).await;
    ada.expect_no_console_errors().await;
}

impl Window {
    /// Limits the upload rate to `speed` bytes per second; -1 removes the limit.
    async fn limit_upload_speed(&self, speed: i64) {
        let conditions = json!({"offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed});
        self.send_cdp("Network.enable", json!({})).await;
        self.send_cdp("Network.emulateNetworkConditions", conditions)
            .await;
    }
}
