//! An end-to-end test with two users: from the printed setup link to a file that both changed.

use crate::{app::PASSWORD, stage::Stage, vault::row, window::Window};

const VISE: &str = "fixtures/vise.step";
const GEAR: &str = "gear.mcam";

#[tokio::test(flavor = "multi_thread")]
async fn two_users_share_files_with_live_updates() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let (ada, ben) = tokio::join!(stage.window("ada"), stage.window("ben"));
    becomes_the_first_administrator(&stage, &ada).await;
    signs_up(&ben).await;
    files_appear_before_the_colleague(&stage, &ada, &ben).await;
    one_works_and_the_other_sees_it(&stage, &ada, &ben).await;
    an_old_revision_comes_back(&ada, &ben).await;
    a_description_is_written(&ada, &ben).await;
    a_lock_is_broken_while_its_holder_types(&ada, &ben).await;
    the_list_is_searched_and_filtered(&ada, &ben).await;
    a_file_is_deleted_after_a_question(&ada, &ben).await;
    ada.complains_only_of(&[
        "/first - Failed to load resource: the server responded with a status of 403",
    ])
    .await;
    ben.has_no_complaints().await;
}

async fn becomes_the_first_administrator(stage: &Stage, ada: &Window) {
    let link = stage
        .app
        .running
        .setup_link
        .clone()
        .expect("a setup link while there is no administrator");
    let (_, token) = link.split_once('#').unwrap();
    ada.goto("/first#sr_first_guess").await;
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#first button.primary").await;
    ada.reads("#message", "This link is no longer valid").await;
    // In the same window: an earlier error does not invalidate the link.
    ada.goto(&format!("/first#{token}")).await;
    ada.sees("location.hash === ''").await;
    ada.is_focused("#username").await;
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.reads("#password-length", "strong").await;
    ada.clicks("#first button.primary").await;
    ada.arrives_at("/").await;
    ada.reads("#empty", "This vault is empty").await;
    ada.finds("#empty [data-action=add]").await;
    ada.is_live().await;
    ada.goto("/first").await;
    ada.reads(".sign-in-card", "this link is no longer valid")
        .await;
    ada.clicks(".sign-in-card a").await;
    ada.arrives_at("/").await;
    ada.clicks("#empty a").await;
    ada.reads(".address", &stage.app.url("/sign-up")).await;
    ada.clicks(".brand").await;
    ada.arrives_at("/").await;
    ada.is_live().await;
}

async fn signs_up(ben: &Window) {
    ben.goto("/").await;
    ben.arrives_at("/sign-in").await;
    ben.clicks("a[href='/sign-up']").await;
    ben.arrives_at("/sign-up").await;
    ben.writes("#username", "ben").await;
    ben.writes("#display_name", "Ben Bolt").await;
    ben.writes("#password", PASSWORD).await;
    ben.clicks("#sign-up button.primary").await;
    ben.arrives_at("/").await;
    ben.reads("#user-menu summary", "Ben Bolt").await;
    ben.is_live().await;
}

async fn files_appear_before_the_colleague(stage: &Stage, ada: &Window, ben: &Window) {
    ben.run("window.sameage = true").await;
    ada.adds(&[stage.on_disk(GEAR, b"G1 X1 one")]).await;
    ada.reads("#notices", "1 file added.").await;
    stage.on_disk(VISE, b"solid vise one");
    ada.adds_folder(stage.folder_on_disk("fixtures")).await;
    for window in [ada, ben] {
        window.lists(&["fixtures", GEAR]).await;
        window.misses("#empty").await;
    }
    ada.clicks("[data-folder=fixtures] a.name").await;
    ada.arrives_at("/v/main/f/fixtures").await;
    ada.lists(&["vise.step"]).await;
    ada.clicks(".breadcrumbs a").await;
    ada.arrives_at("/v/main").await;
    ada.is_live().await;
}

async fn one_works_and_the_other_sees_it(stage: &Stage, ada: &Window, ben: &Window) {
    ben.checks_out(GEAR).await;
    ben.reads(&row(GEAR), "Checked out by you").await;
    ada.reads(&row(GEAR), "Checked out by ben").await;
    ada.misses(&format!("{} [data-action=check-out]", row(GEAR)))
        .await;
    ada.misses(&format!("{} [data-action=check-in]", row(GEAR)))
        .await;
    ben.clicks(&format!("{} .actions > [data-action=download]", row(GEAR)))
        .await;
    ben.has_downloaded(GEAR, b"G1 X1 one").await;
    ben.acts(GEAR, "check-in").await;
    ben.clicks("#check-in-dialog [data-submit]").await;
    ben.reads("#check-in-dialog [data-error]", "Describe what you changed")
        .await;
    ben.clicks("#check-in-dialog [data-close]").await;
    ben.checks_in(GEAR, stage.on_disk(GEAR, b"G1 X2 two"), "Deeper pocket")
        .await;
    for window in [ada, ben] {
        window.has_revision(GEAR, 2).await;
        window.reads(&row(GEAR), "by ben").await;
        window.reads(&row(GEAR), "Available").await;
    }
    assert_eq!(
        ben.value("window.sameage").await,
        true,
        "the page was loaded again"
    );
}

async fn an_old_revision_comes_back(ada: &Window, ben: &Window) {
    ada.acts(GEAR, "history").await;
    ada.arrives_at("/v/main/h/gear.mcam").await;
    ada.is_live().await;
    ada.reads("[data-revision='2']", "Deeper pocket").await;
    ada.clicks("[data-revision='1'] [data-action=download]")
        .await;
    ada.has_downloaded(GEAR, b"G1 X1 one").await;
    ada.clicks("[data-revision='1'] [data-action=restore]")
        .await;
    ada.reads("#restore-dialog", "All other revisions stay in the history")
        .await;
    ada.clicks("#restore-dialog [data-submit]").await;
    ada.reads("[data-revision='3']", "Current").await;
    ben.has_revision(GEAR, 3).await;
    ben.clicks(&format!("{} .actions > [data-action=download]", row(GEAR)))
        .await;
    ben.has_downloaded(GEAR, b"G1 X1 one").await;
}

async fn a_description_is_written(ada: &Window, ben: &Window) {
    ada.clicks(".description-box [data-action=describe]").await;
    ada.writes("#describe-dialog textarea", "For the old lathe")
        .await;
    ada.clicks("#describe-dialog [data-submit]").await;
    ada.reads("#description", "For the old lathe").await;
    ben.reads(&row(GEAR), "For the old lathe").await;
    ada.goto("/").await;
    ada.is_live().await;
}

async fn a_lock_is_broken_while_its_holder_types(ada: &Window, ben: &Window) {
    ben.checks_out(GEAR).await;
    ben.acts(GEAR, "describe").await;
    ben.writes("#describe-dialog textarea", "For the old lathe, half a sen")
        .await;
    ada.reads(&row(GEAR), "Checked out by ben").await;
    ada.acts(GEAR, "override").await;
    ada.reads("#override-dialog", "ben has this file checked out")
        .await;
    ada.writes("#override-dialog [name=reason]", "The machine waits")
        .await;
    ada.clicks("#override-dialog [data-submit]").await;
    ben.finds(&format!("{}[data-status=unlocked]", row(GEAR)))
        .await;
    ben.reads(
        "#describe-dialog [data-changed]",
        "ada just overrode the lock",
    )
    .await;
    ben.reads("#notices", "The machine waits").await;
    ben.is_focused("#describe-dialog textarea").await;
    ben.presses("tence").await;
    let typed = ben
        .value("document.querySelector('#describe-dialog textarea').value")
        .await;
    assert_eq!(typed, "For the old lathe, half a sentence");
    ben.clicks("#describe-dialog [data-close]").await;
    ada.reads(&row(GEAR), "Available").await;
}

async fn the_list_is_searched_and_filtered(ada: &Window, ben: &Window) {
    ben.writes("#search", "VIS").await;
    ben.lists(&["vise.step"]).await;
    ben.reads(&row(VISE), "fixtures").await;
    ben.checks_out(VISE).await;
    ben.writes("#search", "nothing like it").await;
    ben.reads("#no-match", "No file name contains “nothing like it”")
        .await;
    ben.clicks("#show-all").await;
    ben.lists(&["fixtures", GEAR]).await;
    ben.clicks("[data-show=mine]").await;
    ben.lists(&["vise.step"]).await;
    ben.reload().await;
    ben.is_live().await;
    ben.lists(&["vise.step"]).await;
    ada.clicks("[data-show=locked]").await;
    ada.lists(&["vise.step"]).await;
    ben.acts(VISE, "cancel").await;
    ada.reads("#no-match", "No files are locked by others")
        .await;
    ben.reads("#no-match", "You have no files checked out")
        .await;
    ben.clicks("[data-show=all]").await;
    ada.clicks("[data-show=all]").await;
    ada.lists(&["fixtures", GEAR]).await;
}

async fn a_file_is_deleted_after_a_question(ada: &Window, ben: &Window) {
    ben.clicks(&format!("{} .more summary", row(GEAR))).await;
    ben.finds(&format!("{} [data-action=describe]", row(GEAR)))
        .await;
    ben.misses(&format!("{} [data-action=delete]", row(GEAR)))
        .await;
    ada.acts(GEAR, "delete").await;
    ada.is_focused("#delete-dialog [data-close]").await;
    ada.clicks("#delete-dialog [data-close]").await;
    ada.lists(&["fixtures", GEAR]).await;
    ada.acts(GEAR, "delete").await;
    ada.clicks("#delete-dialog [data-submit]").await;
    ada.lists(&["fixtures"]).await;
    ben.lists(&["fixtures"]).await;
    ada.clicks("#notices a").await;
    ada.reads("main", "This file was deleted").await;
    ada.reads("[data-revision='2']", "Deeper pocket").await;
    ada.clicks("[data-revision='2'] [data-action=restore]")
        .await;
    ada.clicks("#restore-dialog [data-submit]").await;
    ben.lists(&["fixtures", GEAR]).await;
}
