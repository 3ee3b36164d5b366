//! An end-to-end test with two users: from the printed setup link to a file that both changed.

use crate::{app::PASSWORD, browser_test::BrowserTest, vault::row_selector, window::Window};

const VISE_FILE: &str = "fixtures/vise.step";
const GEAR_FILE: &str = "gear.mcam";

#[tokio::test(flavor = "multi_thread")]
async fn two_users_share_files_with_live_updates() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let (ada, ben) = tokio::join!(stage.new_window("ada"), stage.new_window("ben"));
    set_up_first_administrator(&stage, &ada).await;
    sign_up(&ben).await;
    add_files_seen_by_other(&stage, &ada, &ben).await;
    edit_file_seen_by_other(&stage, &ada, &ben).await;
    restore_old_revision(&ada, &ben).await;
    write_description(&ada, &ben).await;
    override_lock_during_edit(&ada, &ben).await;
    search_and_filter(&ada, &ben).await;
    delete_with_confirmation(&ada, &ben).await;
    ada.expect_only_console_errors(&[
        "/first - Failed to load resource: the server responded with a status of 403",
    ])
    .await;
    ben.expect_no_console_errors().await;
}

async fn set_up_first_administrator(stage: &BrowserTest, ada: &Window) {
    let link = stage
        .app
        .running
        .setup_link
        .clone()
        .expect("a setup link while there is no administrator");
    let (_, token) = link.split_once('#').unwrap();
    ada.goto("/first#sr_first_guess").await;
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#first button.primary").await;
    ada.expect_text("#message", "This link is no longer valid")
        .await;
    // In the same window: an earlier error does not invalidate the link.
    ada.goto(&format!("/first#{token}")).await;
    ada.wait_for_js("location.hash === ''").await;
    ada.expect_focused("#username").await;
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.expect_text("#password-length", "strong").await;
    ada.click("#first button.primary").await;
    ada.expect_path("/").await;
    ada.expect_text("#empty", "This vault is empty").await;
    ada.expect_visible("#empty [data-action=add]").await;
    ada.wait_until_live().await;
    ada.goto("/first").await;
    ada.expect_text(".sign-in-card", "this link is no longer valid")
        .await;
    ada.click(".sign-in-card a").await;
    ada.expect_path("/").await;
    ada.click("#empty a").await;
    ada.expect_text(".address", &stage.app.url("/sign-up"))
        .await;
    ada.click(".brand").await;
    ada.expect_path("/").await;
    ada.wait_until_live().await;
}

async fn sign_up(ben: &Window) {
    ben.goto("/").await;
    ben.expect_path("/sign-in").await;
    ben.click("a[href='/sign-up']").await;
    ben.expect_path("/sign-up").await;
    ben.fill("#username", "ben").await;
    ben.fill("#display_name", "Ben Bolt").await;
    ben.fill("#password", PASSWORD).await;
    ben.click("#sign-up button.primary").await;
    ben.expect_path("/").await;
    ben.expect_text("#user-menu summary", "Ben Bolt").await;
    ben.wait_until_live().await;
}

async fn add_files_seen_by_other(stage: &BrowserTest, ada: &Window, ben: &Window) {
    ben.run_script("window.sameage = true").await;
    ada.add_files(&[stage.local_file(GEAR_FILE, b"G1 X1 one")])
        .await;
    ada.expect_text("#notices", "1 file added.").await;
    stage.local_file(VISE_FILE, b"solid vise one");
    ada.add_folder(stage.local_folder("fixtures")).await;
    for window in [ada, ben] {
        window.expect_files(&["fixtures", GEAR_FILE]).await;
        window.expect_hidden("#empty").await;
    }
    ada.click("[data-folder=fixtures] a.name").await;
    ada.expect_path("/v/main/f/fixtures").await;
    ada.expect_files(&["vise.step"]).await;
    ada.click(".breadcrumbs a").await;
    ada.expect_path("/v/main").await;
    ada.wait_until_live().await;
}

async fn edit_file_seen_by_other(stage: &BrowserTest, ada: &Window, ben: &Window) {
    ben.check_out(GEAR_FILE).await;
    ben.expect_text(&row_selector(GEAR_FILE), "Checked out by you")
        .await;
    ada.expect_text(&row_selector(GEAR_FILE), "Checked out by ben")
        .await;
    ada.expect_hidden(&format!(
        "{} [data-action=check-out]",
        row_selector(GEAR_FILE)
    ))
    .await;
    ada.expect_hidden(&format!(
        "{} [data-action=check-in]",
        row_selector(GEAR_FILE)
    ))
    .await;
    ben.click(&format!(
        "{} .actions > [data-action=download]",
        row_selector(GEAR_FILE)
    ))
    .await;
    ben.expect_download(GEAR_FILE, b"G1 X1 one").await;
    ben.click_file_action(GEAR_FILE, "check-in").await;
    ben.click("#check-in-dialog [data-submit]").await;
    ben.expect_text("#check-in-dialog [data-error]", "Describe what you changed")
        .await;
    ben.click("#check-in-dialog [data-close]").await;
    ben.check_in(
        GEAR_FILE,
        stage.local_file(GEAR_FILE, b"G1 X2 two"),
        "Deeper pocket",
    )
    .await;
    for window in [ada, ben] {
        window.expect_revision(GEAR_FILE, 2).await;
        window.expect_text(&row_selector(GEAR_FILE), "by ben").await;
        window
            .expect_text(&row_selector(GEAR_FILE), "Available")
            .await;
    }
    assert_eq!(
        ben.evaluate("window.sameage").await,
        true,
        "the page was reloaded"
    );
}

async fn restore_old_revision(ada: &Window, ben: &Window) {
    ada.click_file_action(GEAR_FILE, "history").await;
    ada.expect_path("/v/main/h/gear.mcam").await;
    ada.wait_until_live().await;
    ada.expect_text("[data-revision='2']", "Deeper pocket")
        .await;
    ada.click("[data-revision='1'] [data-action=download]")
        .await;
    ada.expect_download("gear.r1.mcam", b"G1 X1 one").await;
    ada.click("[data-revision='1'] [data-action=restore]").await;
    ada.expect_text("#restore-dialog", "All other revisions stay in the history")
        .await;
    ada.click("#restore-dialog [data-submit]").await;
    ada.expect_text("[data-revision='3']", "Current").await;
    ben.expect_revision(GEAR_FILE, 3).await;
    ben.click(&format!(
        "{} .actions > [data-action=download]",
        row_selector(GEAR_FILE)
    ))
    .await;
    ben.expect_download(GEAR_FILE, b"G1 X1 one").await;
}

async fn write_description(ada: &Window, ben: &Window) {
    ada.click(".description-box [data-action=describe]").await;
    ada.fill("#describe-dialog textarea", "For the old lathe")
        .await;
    ada.click("#describe-dialog [data-submit]").await;
    ada.expect_text("#description", "For the old lathe").await;
    ben.expect_text(&row_selector(GEAR_FILE), "For the old lathe")
        .await;
    ada.goto("/").await;
    ada.wait_until_live().await;
}

async fn override_lock_during_edit(ada: &Window, ben: &Window) {
    ben.check_out(GEAR_FILE).await;
    ben.click_file_action(GEAR_FILE, "describe").await;
    ben.fill("#describe-dialog textarea", "For the old lathe, half a sen")
        .await;
    ada.expect_text(&row_selector(GEAR_FILE), "Checked out by ben")
        .await;
    ada.click_file_action(GEAR_FILE, "override").await;
    ada.expect_text("#override-dialog", "ben has this file checked out")
        .await;
    ada.fill("#override-dialog [name=reason]", "The machine waits")
        .await;
    ada.click("#override-dialog [data-submit]").await;
    ben.expect_visible(&format!(
        "{}[data-status=unlocked]",
        row_selector(GEAR_FILE)
    ))
    .await;
    ben.expect_text(
        "#describe-dialog [data-changed]",
        "ada just overrode the lock",
    )
    .await;
    ben.expect_text("#notices", "The machine waits").await;
    ben.expect_focused("#describe-dialog textarea").await;
    ben.press_keys("tence").await;
    let typed = ben
        .evaluate("document.querySelector('#describe-dialog textarea').value")
        .await;
    assert_eq!(typed, "For the old lathe, half a sentence");
    ben.click("#describe-dialog [data-close]").await;
    ada.expect_text(&row_selector(GEAR_FILE), "Available").await;
}

async fn search_and_filter(ada: &Window, ben: &Window) {
    ben.fill("#search", "VIS").await;
    ben.expect_files(&["vise.step"]).await;
    ben.expect_text(&row_selector(VISE_FILE), "fixtures").await;
    ben.check_out(VISE_FILE).await;
    ben.fill("#search", "nothing like it").await;
    ben.expect_text("#no-match", "No file matches “nothing like it”")
        .await;
    ben.click("#show-all").await;
    ben.expect_files(&["fixtures", GEAR_FILE]).await;
    ben.click("[data-show=mine]").await;
    ben.expect_files(&["vise.step"]).await;
    ben.reload().await;
    ben.wait_until_live().await;
    ben.expect_files(&["vise.step"]).await;
    ada.click("[data-show=locked]").await;
    ada.expect_files(&["vise.step"]).await;
    ben.click_file_action(VISE_FILE, "cancel").await;
    ada.expect_text("#no-match", "No files are locked by others")
        .await;
    ben.expect_text("#no-match", "You have no files checked out")
        .await;
    ben.click("[data-show=all]").await;
    ada.click("[data-show=all]").await;
    ada.expect_files(&["fixtures", GEAR_FILE]).await;
}

async fn delete_with_confirmation(ada: &Window, ben: &Window) {
    ben.click(&format!("{} .more summary", row_selector(GEAR_FILE)))
        .await;
    ben.expect_visible(&format!(
        "{} [data-action=describe]",
        row_selector(GEAR_FILE)
    ))
    .await;
    ben.expect_hidden(&format!("{} [data-action=delete]", row_selector(GEAR_FILE)))
        .await;
    ada.click_file_action(GEAR_FILE, "delete").await;
    ada.expect_focused("#delete-dialog [data-close]").await;
    ada.click("#delete-dialog [data-close]").await;
    ada.expect_files(&["fixtures", GEAR_FILE]).await;
    ada.click_file_action(GEAR_FILE, "delete").await;
    ada.click("#delete-dialog [data-submit]").await;
    ada.expect_files(&["fixtures"]).await;
    ben.expect_files(&["fixtures"]).await;
    ada.click("#notices a").await;
    ada.expect_text("main", "This file was deleted").await;
    ada.expect_text("[data-revision='2']", "Deeper pocket")
        .await;
    ada.click("[data-revision='2'] [data-action=restore]").await;
    ada.click("#restore-dialog [data-submit]").await;
    ben.expect_files(&["fixtures", GEAR_FILE]).await;
}
