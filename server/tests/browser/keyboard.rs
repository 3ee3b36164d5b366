//! Keyboard navigation.

use crate::{browser_test::BrowserTest, vault::row_selector, window::Window};

// WebDriver's code points for keys without a character.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";

#[tokio::test(flavor = "multi_thread")]
async fn check_out_and_check_in_work_by_keyboard() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    stage
        .app
        .sign_in("ada")
        .await
        .add("gear.mcam", b"one")
        .await
        .expect_status(201);
    ada.expect_visible(&row_selector("gear.mcam")).await;
    tab_to(&ada, "[data-action=check-out]").await;
    ada.press_keys(ENTER).await;
    ada.expect_visible(&format!(
        "{}[data-status=checked_out_by_user]",
        row_selector("gear.mcam")
    ))
    .await;
    // The button was replaced; the focus moves to its replacement.
    ada.expect_focused("[data-action=check-in]").await;
    ada.press_keys(ENTER).await;
    ada.expect_visible("#check-in-dialog").await;
    ada.press_keys(ESCAPE).await;
    ada.expect_hidden("#check-in-dialog").await;
    ada.expect_focused("[data-action=check-in]").await;
    ada.press_keys(ENTER).await;
    ada.expect_focused("#check-in-file").await;
    ada.choose_files("#check-in-file", &[stage.local_file("gear.mcam", b"two")])
        .await;
    tab_to(&ada, "#check-in-dialog textarea").await;
    ada.press_keys("By keyboard").await;
    tab_to(&ada, "#check-in-dialog [data-submit]").await;
    ada.press_keys(ENTER).await;
    ada.expect_hidden("#check-in-dialog").await;
    ada.expect_revision("gear.mcam", 2).await;
    ada.expect_focused(&format!(
        "{} [data-action=check-out]",
        row_selector("gear.mcam")
    ))
    .await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn menu_works_by_keyboard() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    stage
        .app
        .sign_in("ada")
        .await
        .add("gear.mcam", b"one")
        .await
        .expect_status(201);
    ada.expect_visible(&row_selector("gear.mcam")).await;
    tab_to(&ada, "tr .more summary").await;
    ada.press_keys(ENTER).await;
    ada.expect_visible("tr [data-action=describe]").await;
    ada.press_keys(DOWN).await;
    ada.expect_focused("[data-action=history]").await;
    ada.press_keys(DOWN).await;
    ada.expect_focused("[data-action=check-out-note]").await;
    ada.press_keys(DOWN).await;
    ada.expect_focused("[data-action=describe]").await;
    ada.press_keys(ESCAPE).await;
    ada.expect_hidden("tr [data-action=describe]").await;
    ada.expect_focused("tr .more summary").await;
    // A slash focuses the search field from anywhere.
    ada.press_keys("/").await;
    ada.expect_focused("#search").await;
    ada.press_keys("gear").await;
    ada.expect_text("#count", "1 found").await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_tab_stop_skips_the_header() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.reload().await;
    ada.wait_until_live().await;
    ada.press_keys(TAB).await;
    ada.expect_focused("a.skip").await;
    ada.press_keys(ENTER).await;
    ada.expect_focused("#main").await;
}

/// Every Tab press focuses a visible element.
async fn tab_to(window: &Window, css: &str) {
    let there = format!("document.activeElement.matches({})", serde_json::json!(css));
    for _ in 0..40 {
        window.press_keys(TAB).await;
        if window.evaluate(&there).await == true {
            return;
        }
    }
    panic!("Tab does not reach {css}");
}
