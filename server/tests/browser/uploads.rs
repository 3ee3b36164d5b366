//! Slow uploads.

use serde_json::json;

use crate::{stage::Stage, vault::row, window::Window};

#[tokio::test(flavor = "multi_thread")]
async fn upload_shows_progress_and_can_be_retried() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.uploads_at(150_000).await;
    ada.clicks("[data-action=add]").await;
    ada.chooses(
        "#add-input",
        &[stage.on_disk("impeller.mcam", &vec![b'1'; 6_000_000])],
    )
    .await;
    ada.clicks("#add-submit").await;
    ada.reads("#uploads .upload-state", "of 6.0 MB").await;
    ada.sees("document.querySelector('#uploads progress:not([hidden])').value > 0")
        .await;
    ada.clicks("#add-dialog footer [data-close]").await;
    ada.reads("#uploads .upload-state", "Canceled").await;
    stage
        .app
        .sign_in("ada")
        .await
        .see("/api/files/impeller.mcam")
        .await
        .is(404);
    ada.uploads_at(-1).await;
    ada.clicks("#add-submit").await;
    ada.misses("#add-dialog").await;
    ada.finds(&row("impeller.mcam")).await;
    ada.has_no_complaints().await;
}

impl Window {
    /// Limits the upload rate to `speed` bytes per second; -1 removes the limit.
    async fn uploads_at(&self, speed: i64) {
        let conditions = json!({"offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed});
        self.cdp("Network.enable", json!({})).await;
        self.cdp("Network.emulateNetworkConditions", conditions)
            .await;
    }
}
