//! Keyboard navigation.

use crate::{stage::Stage, vault::row, window::Window};

// WebDriver's code points for keys without a character.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";

#[tokio::test(flavor = "multi_thread")]
async fn check_out_and_check_in_work_by_keyboard() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    stage
        .app
        .sign_in("ada")
        .await
        .add("gear.mcam", b"one")
        .await
        .is(201);
    ada.finds(&row("gear.mcam")).await;
    tabs_to(&ada, "[data-action=check-out]").await;
    ada.presses(ENTER).await;
    ada.finds(&format!(
        "{}[data-status=checked_out_by_user]",
        row("gear.mcam")
    ))
    .await;
    // The button was replaced; the focus moves to its replacement.
    ada.is_focused("[data-action=check-in]").await;
    ada.presses(ENTER).await;
    ada.finds("#check-in-dialog").await;
    ada.presses(ESCAPE).await;
    ada.misses("#check-in-dialog").await;
    ada.is_focused("[data-action=check-in]").await;
    ada.presses(ENTER).await;
    ada.is_focused("#check-in-file").await;
    ada.chooses("#check-in-file", &[stage.on_disk("gear.mcam", b"two")])
        .await;
    tabs_to(&ada, "#check-in-dialog textarea").await;
    ada.presses("By keyboard").await;
    tabs_to(&ada, "#check-in-dialog [data-submit]").await;
    ada.presses(ENTER).await;
    ada.misses("#check-in-dialog").await;
    ada.has_revision("gear.mcam", 2).await;
    ada.is_focused(&format!("{} [data-action=check-out]", row("gear.mcam")))
        .await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn menu_works_by_keyboard() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    stage
        .app
        .sign_in("ada")
        .await
        .add("gear.mcam", b"one")
        .await
        .is(201);
    ada.finds(&row("gear.mcam")).await;
    tabs_to(&ada, "tr .more summary").await;
    ada.presses(ENTER).await;
    ada.finds("tr [data-action=describe]").await;
    ada.presses(DOWN).await;
    ada.is_focused("[data-action=history]").await;
    ada.presses(DOWN).await;
    ada.is_focused("[data-action=describe]").await;
    ada.presses(ESCAPE).await;
    ada.misses("tr [data-action=describe]").await;
    ada.is_focused("tr .more summary").await;
    // A slash focuses the search field from anywhere.
    ada.presses("/").await;
    ada.is_focused("#search").await;
    ada.presses("gear").await;
    ada.reads("#count", "1 found").await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_tab_stop_skips_the_header() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.reload().await;
    ada.is_live().await;
    ada.presses(TAB).await;
    ada.is_focused("a.skip").await;
    ada.presses(ENTER).await;
    ada.is_focused("#main").await;
}

/// Every Tab press focuses a visible element.
async fn tabs_to(window: &Window, css: &str) {
    let there = format!("document.activeElement.matches({})", serde_json::json!(css));
    for _ in 0..40 {
        window.presses(TAB).await;
        if window.value(&there).await == true {
            return;
        }
    }
    panic!("Tab does not reach {css}");
}
