//! The list of deleted files, for users who do not know a file's URL.

use crate::{app::PASSWORD, browser_test::BrowserTest, vault::row_selector};

#[tokio::test(flavor = "multi_thread")]
async fn deleted_file_can_be_restored_from_the_list() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let program = stage.app.editor("ben").await;
    program
        .add("fixtures/vise.step", b"one")
        .await
        .expect_status(201);
    program.add("gear.mcam", b"two").await.expect_status(201);
    ada.goto("/v/main").await;
    ada.wait_until_live().await;
    ada.click_file_action("gear.mcam", "delete").await;
    ada.click("#delete-dialog [data-submit]").await;
    ada.expect_hidden(&row_selector("gear.mcam")).await;
    ada.click("a[href='/v/main/deleted']").await;
    ada.wait_until_live().await;
    ada.expect_text("[data-file='gear.mcam']", "by ada").await;
    // An open list shows a file that another user deletes.
    let administrator = stage.app.sign_in("ada").await;
    administrator
        .send(administrator.delete_request(&crate::app::file_url("fixtures/vise.step", "")))
        .await
        .expect_status(204);
    ada.expect_text("[data-file='fixtures/vise.step']", "in fixtures")
        .await;
    ada.wait_until_live().await;
    ada.click("[data-file='gear.mcam'] [data-action=restore]")
        .await;
    ada.expect_text("#restore-dialog", "gear.mcam").await;
    ada.click("#restore-dialog [data-submit]").await;
    ada.expect_text("#notices", "gear.mcam is restored as revision 3.")
        .await;
    ada.expect_hidden("[data-file='gear.mcam']").await;
    ada.click("#notices a").await;
    ada.expect_path("/v/main/h/gear.mcam").await;
    // A viewer can open the list, but gets no restore button.
    ada.goto("/admin/users").await;
    ada.select_option("[data-user=ben] select[data-vault=main]", "viewer")
        .await;
    ada.expect_text("#notices", "ben is viewer of main.").await;
    let ben = stage.new_window("ben").await;
    ben.sign_in(PASSWORD).await;
    ben.goto("/v/main/deleted").await;
    ben.expect_visible("[data-file='fixtures/vise.step'] a.name")
        .await;
    ben.expect_hidden("[data-action=restore]").await;
    ada.expect_no_console_errors().await;
    ben.expect_no_console_errors().await;
}
