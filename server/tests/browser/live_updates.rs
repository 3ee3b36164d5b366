//! Live updates of an open page.

use reqwest::Method;
use serde_json::json;

use crate::{
    app::{PASSWORD, file_url},
    browser_test::BrowserTest,
};

#[tokio::test(flavor = "multi_thread")]
async fn live_update_keeps_typed_text_in_open_dialog() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ben = stage.app.editor("ben").await;
    ben.add("gear.mcam", b"one").await.expect_status(201);
    let ada = stage.editor("ada").await;
    ada.goto("/v/main/h/gear.mcam").await;
    ada.wait_until_live().await;
    ada.click("[data-action=describe], .actions summary").await;
    ada.click("[data-action=describe]").await;
    ada.fill("#describe-dialog textarea", "The large gear of the")
        .await;
    ben.post(
        &file_url("gear.mcam", "/move"),
        json!({"to": "gears/large.mcam"}),
    )
    .await
    .expect_status(200);
    ada.expect_text(
        "#describe-dialog",
        "just moved this file. Your input is kept.",
    )
    .await;
    ada.expect_path("/v/main/h/gear.mcam").await;
    ada.wait_for_js(
        "document.querySelector('#describe-dialog textarea').value === 'The large gear of the'",
    )
    .await;
    ada.click("#describe-dialog [data-close]").await;
    ada.expect_path("/v/main/h/gears/large.mcam").await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_read_permission_stops_live_updates() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let root = stage.app.administrator("root").await;
    let ada = stage.editor("ada").await;
    ada.wait_until_live().await;
    root.send(root.request_builder(Method::DELETE, "/api/vaults/main/members/ada"))
        .await
        .expect_status(204);
    ada.wait_for_js("document.querySelector('#live').dataset.state === 'stopped'")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reopened_untouched_dialog_shows_current_text() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ben = stage.app.editor("ben").await;
    ben.add("gear.mcam", b"one").await.expect_status(201);
    let ada = stage.editor("ada").await;
    ada.goto("/v/main/h/gear.mcam").await;
    ada.wait_until_live().await;
    ada.click("[data-action=describe], .actions summary").await;
    ada.click("[data-action=describe]").await;
    ada.expect_visible("#describe-dialog textarea").await;
    ada.click("#describe-dialog [data-close]").await;
    let describe = |text: &str| {
        ben.send(
            ben.put_request(&file_url("gear.mcam", ""))
                .json(&json!({"description": text})),
        )
    };
    describe("The large gear").await.expect_status(200);
    ada.expect_text("[data-field=description]", "The large gear")
        .await;
    ada.click("[data-action=describe], .actions summary").await;
    ada.click("[data-action=describe]").await;
    ada.wait_for_js(
        "document.querySelector('#describe-dialog textarea').value === 'The large gear'",
    )
    .await;
    // Entered text is kept, with a notice if another user has changed the file.
    ada.fill("#describe-dialog textarea", "The small gear")
        .await;
    ada.click("#describe-dialog [data-close]").await;
    describe("The middle gear").await.expect_status(200);
    ada.expect_text("[data-field=description]", "The middle gear")
        .await;
    ada.click("[data-action=describe], .actions summary").await;
    ada.click("[data-action=describe]").await;
    ada.wait_for_js(
        "document.querySelector('#describe-dialog textarea').value === 'The small gear'",
    )
    .await;
    ada.expect_text(
        "#describe-dialog",
        "just changed the description. Your input is kept.",
    )
    .await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_reloads_for_another_signed_in_account() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    stage.app.editor("ben").await;
    let ada = stage.editor("ada").await;
    ada.goto("/v/main").await;
    ada.wait_until_live().await;
    let sign_in = format!(
        "const body = new URLSearchParams({{username: 'ben', password: {}}}); \
         return fetch('/sign-in', {{method: 'POST', body}}).then((answer) => answer.status)",
        json!(PASSWORD)
    );
    assert_eq!(ada.run_script(&sign_in).await, 200, "in another tab");
    ada.run_script("document.dispatchEvent(new Event('visibilitychange'))")
        .await;
    ada.wait_for_js("document.querySelector('#main').dataset.me === 'ben'")
        .await;
}
