//! What one user sees of another: overridden locks, notes, and uploads of files that they hold.

use serde_json::json;

use crate::{app::file_url, browser_test::BrowserTest};

#[tokio::test(flavor = "multi_thread")]
async fn override_notice_appears_live_on_any_page() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let root = stage.app.administrator("root").await;
    let ada = stage.editor("ada").await;
    let held = stage.app.sign_in("ada").await;
    for name in ["vise.step", "gear.step"] {
        held.add(name, b"one").await.expect_status(201);
        held.check_out(name).await.expect_status(200);
    }
    ada.goto("/account").await;
    ada.wait_for_js("'live' in document.querySelector('#overrides').dataset")
        .await;
    let reason = json!({"reason": "The customer waits"});
    root.post(&file_url("vise.step", "/override"), reason.clone())
        .await
        .expect_status(200);
    ada.expect_text("#overrides", "root overrode your lock on vise.step.")
        .await;
    ada.expect_text("#overrides", "The customer waits").await;
    ada.goto("/v/main").await;
    ada.wait_until_live().await;
    ada.expect_visible("[data-notice]").await;
    root.post(&file_url("gear.step", "/override"), reason)
        .await
        .expect_status(200);
    ada.expect_text("#overrides", "root overrode your lock on gear.step.")
        .await;
    ada.click("[data-notice] button").await;
    ada.wait_for_js("document.querySelectorAll('[data-notice]').length === 1")
        .await;
    ada.click("[data-notice] button").await;
    ada.expect_hidden("#overrides").await;
    ada.reload().await;
    ada.expect_hidden("#overrides").await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_out_note_is_typed_and_shown() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let ben = stage.editor("ben").await;
    stage
        .app
        .sign_in("ben")
        .await
        .add("vise.step", b"one")
        .await
        .expect_status(201);
    ada.expect_visible("tr[data-file]").await;
    ada.click("tr[data-file] .more summary").await;
    ada.click("[data-action=check-out-note]").await;
    ada.fill("#check-out-dialog textarea", "New jaws, until Friday")
        .await;
    ada.click("#check-out-dialog [data-submit]").await;
    ada.expect_text("tr[data-file]", "Checked out by you").await;
    ben.expect_text("tr[data-file]", "Checked out by ada").await;
    ben.expect_text("tr[data-file]", "New jaws, until Friday")
        .await;
    ben.expect_text("tr[data-file] .since", "just now").await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_held_file_offers_check_in() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let client = stage.app.sign_in("ada").await;
    for name in ["vise.step", "far/gear.step"] {
        client.add(name, b"one").await.expect_status(201);
        client.check_out(name).await.expect_status(200);
    }
    ada.expect_text("tr[data-file]", "Checked out by you").await;
    let file = stage.local_file("vise.step", b"two");
    ada.click("#add-files").await;
    ada.choose_files("#add-input", &[file]).await;
    ada.expect_text(".upload-state", "You have this file checked out.")
        .await;
    ada.click("[data-check-in]").await;
    ada.expect_text("#add-submit", "Check in 1 file").await;
    ada.click("#add-submit").await;
    ada.expect_hidden("#add-dialog").await;
    ada.expect_text("tr[data-file]", "Available").await;
    assert_eq!(client.content("vise.step").await, b"two");
    // A file that the page does not show: the server says so.
    stage.local_file("far/gear.step", b"two");
    ada.click("#add-files").await;
    ada.choose_files("#add-folder-input", &[stage.local_folder("far")])
        .await;
    ada.click("#add-submit").await;
    ada.click("[data-check-in]").await;
    ada.click("#add-submit").await;
    ada.expect_hidden("#add-dialog").await;
    assert_eq!(client.content("far/gear.step").await, b"two");
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_check_in_asks_first() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let client = stage.app.sign_in("ada").await;
    client.add("vise.step", b"one").await.expect_status(201);
    client.check_out("vise.step").await.expect_status(200);
    ada.goto("/v/main/h/vise.step").await;
    ada.wait_until_live().await;
    ada.click("#file [data-action=check-in]").await;
    let same = stage.local_file("vise.step", b"one");
    ada.choose_files("#check-in-file", &[same]).await;
    ada.fill("#check-in-dialog textarea", "New jaws").await;
    ada.click("#check-in-dialog [data-submit]").await;
    ada.expect_text(
        "#check-in-dialog [data-error]",
        "The content is the same as in revision 1.",
    )
    .await;
    ada.expect_text("#check-in-dialog [data-submit]", "Check in anyway")
        .await;
    ada.click("#check-in-dialog [data-submit]").await;
    ada.expect_hidden("#check-in-dialog").await;
    ada.expect_text("[data-field=revision]", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_asks_first_and_can_be_undone() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    stage.app.editor("ben").await;
    ada.goto("/admin/users").await;
    ada.click("[data-user=ben] .more summary").await;
    ada.click("[data-user=ben] [data-action=disable]").await;
    ada.expect_text("#confirm-dialog", "Disable ben?").await;
    ada.click("#confirm-dialog [data-close]").await;
    ada.expect_visible("[data-user=ben]:not([data-disabled])")
        .await;
    ada.click("[data-user=ben] .more summary").await;
    ada.click("[data-user=ben] [data-action=disable]").await;
    ada.click("#confirm-dialog [data-submit]").await;
    ada.expect_visible("[data-user=ben][data-disabled]").await;
    ada.click("#notices [data-undo]").await;
    ada.expect_visible("[data-user=ben]:not([data-disabled])")
        .await;
    ada.expect_text("#notices", "ben can sign in again.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn group_member_is_picked_from_list() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    stage.app.editor("benjamin").await;
    let root = stage.app.sign_in("ada").await;
    root.post("/api/groups", json!({"name": "welders"}))
        .await
        .expect_status(201);
    ada.goto("/admin/groups").await;
    ada.fill("#add-welders", "benja").await;
    ada.wait_for_js("document.querySelector('#people option')?.value === 'benjamin'")
        .await;
    ada.fill("#add-welders", "unknown").await;
    ada.click("[data-group=welders] form button").await;
    ada.expect_focused("#add-welders[aria-invalid=true][aria-describedby=groups-error]")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_tied_to_their_fields() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let client = stage.app.sign_in("ada").await;
    for name in ["vise.step", "gear.step"] {
        client.add(name, b"one").await.expect_status(201);
    }
    ada.goto("/v/main/h/vise.step").await;
    ada.wait_until_live().await;
    ada.click("#file .more summary").await;
    ada.click("#file [data-action=move]").await;
    ada.fill("#move-dialog [name=to]", "gear.step").await;
    ada.click("#move-dialog [data-submit]").await;
    ada.expect_focused("#move-dialog [name=to][aria-invalid=true]")
        .await;
    ada.wait_for_js(
        "document.getElementById(document.activeElement.getAttribute('aria-describedby').split(' ')[0]).innerText.includes('already exists')",
    )
    .await;
    ada.press_keys("x").await;
    ada.wait_for_js("!document.activeElement.hasAttribute('aria-invalid')")
        .await;
    ada.goto("/account").await;
    ada.fill("#display_name", "Ada\u{202e}").await;
    ada.click("#profile-form [data-submit]").await;
    ada.expect_focused("#display_name[aria-invalid=true]").await;
    let eve = stage.new_window("eve").await;
    eve.goto("/sign-up").await;
    eve.fill("#username", "ada").await;
    eve.fill("#password", "correct horse battery staple").await;
    eve.click("#sign-up button.primary").await;
    eve.expect_focused("#username[aria-invalid=true][aria-describedby~=message]")
        .await;
}
