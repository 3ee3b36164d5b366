//! The pages for accounts, sessions and roles.

use crate::{app::PASSWORD, browser_test::BrowserTest, vault::row_selector};

const NEW_PASSWORD: &str = "four quiet lathes hum";

#[tokio::test(flavor = "multi_thread")]
async fn changed_password_replaces_old_one_in_browser() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.goto("/account").await;
    ada.fill("#current", "not my password at all").await;
    ada.fill("#password", NEW_PASSWORD).await;
    ada.click("#password-form [data-submit]").await;
    ada.expect_text(
        "#password-form [data-error]",
        "Enter it again, or reset your password.",
    )
    .await;
    ada.fill("#current", PASSWORD).await;
    ada.click("#password-form [data-submit]").await;
    ada.expect_text("#notices", "Your password is changed.")
        .await;
    ada.click("#user-menu summary").await;
    ada.click("#sign-out").await;
    ada.expect_path("/sign-in").await;
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#sign-in button.primary").await;
    ada.expect_text("#message", "Incorrect username or password")
        .await;
    ada.sign_in(NEW_PASSWORD).await;
    ada.expect_only_console_errors(&["status of 401", "status of 403", "status of 422"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ended_elsewhere_redirects_to_sign_in() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let forgotten = stage.new_window("ada").await;
    forgotten.sign_in(PASSWORD).await;
    ada.goto("/account").await;
    ada.expect_text("#sessions [data-current]", "This session")
        .await;
    // The initial sign-in through the API has its own session, listed as an app.
    ada.expect_text("#sessions", "App").await;
    let others =
        "#sessions [data-session]:not([data-current], :has(.tag)) [data-action=end-session]";
    ada.click(others).await;
    ada.expect_text("#notices", "The session has ended.").await;
    forgotten.expect_path("/sign-in").await;
    ada.click("#end-others").await;
    ada.click("#confirm-dialog [data-submit]").await;
    ada.expect_hidden("#end-others").await;
    ada.reload().await;
    ada.expect_path("/account").await;
    assert_eq!(
        ada.evaluate("document.querySelectorAll('[data-session]').length")
            .await,
        1
    );
    ada.expect_no_console_errors().await;
    forgotten
        .expect_only_console_errors(&["status of 401"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewer_page_offers_no_write_actions() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let program = stage.app.editor("ben").await;
    let ben = stage.new_window("ben").await;
    program.add("gear.mcam", b"one").await.expect_status(201);
    ben.sign_in(PASSWORD).await;
    ben.expect_visible(&format!(
        "{} [data-action=check-out]",
        row_selector("gear.mcam")
    ))
    .await;
    ada.click("#user-menu summary").await;
    ada.click("a[href='/admin/users']").await;
    ada.select_option("[data-user=ben] select[data-vault=main]", "viewer")
        .await;
    ada.expect_text("#notices", "ben is viewer of main.").await;
    // The open page still shows the button. The server rejects the action and the page shows the
    // error.
    ben.click_file_action("gear.mcam", "check-out").await;
    ben.expect_visible("#notices [data-kind=error]").await;
    program.check_out("gear.mcam").await.expect_status(403);
    ben.reload().await;
    ben.wait_until_live().await;
    ben.expect_visible(&format!(
        "{} [data-action=download]",
        row_selector("gear.mcam")
    ))
    .await;
    ben.expect_hidden(
        "[data-action=check-out], [data-action=add], [data-action=describe], [data-action=delete]",
    )
    .await;
    ben.expect_only_console_errors(&["status of 403"]).await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_account_page_redirects_to_sign_in() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let (ada, ben) = (stage.administrator("ada").await, stage.editor("ben").await);
    ada.goto("/admin/users").await;
    ada.click("[data-user=ben] .more summary").await;
    ada.click("[data-user=ben] [data-action=disable]").await;
    ada.click("#confirm-dialog [data-submit]").await;
    ada.expect_text("#notices", "ben is signed out and cannot sign in.")
        .await;
    ben.expect_path("/sign-in").await;
    ben.fill("#username", "ben").await;
    ben.fill("#password", PASSWORD).await;
    ben.click("#sign-in button.primary").await;
    ben.expect_text("#message", "Incorrect username or password")
        .await;
    // The last administrator cannot be disabled.
    ada.click("[data-user=ada] .more summary").await;
    ada.click("[data-user=ada] [data-action=unmake-admin]")
        .await;
    ada.click("#confirm-dialog [data-submit]").await;
    ada.expect_visible("#users-error").await;
    ada.expect_visible("[data-user=ada][data-admin]").await;
    ada.expect_only_console_errors(&["status of 409"]).await;
    ben.expect_only_console_errors(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_out_blocks_pages_and_back_button() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.click("#user-menu summary").await;
    ada.click("#sign-out").await;
    ada.expect_path("/sign-in").await;
    ada.goto("/v/main").await;
    ada.expect_path("/sign-in").await;
    ada.browser.back().await.unwrap();
    ada.expect_path("/sign-in").await;
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#sign-in button.primary").await;
    ada.expect_path("/").await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_link_page_offers_a_new_link() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let anonymous = stage.new_window("nobody").await;
    anonymous.goto("/reset#sr_rs_nothing").await;
    anonymous.fill("#password", NEW_PASSWORD).await;
    anonymous.click("#reset button.primary").await;
    anonymous
        .expect_text("#message", "This link is no longer valid")
        .await;
    anonymous.expect_hidden("input").await;
    anonymous.expect_visible("a.primary[href='/forgot']").await;
    anonymous.goto("/confirm-email#nothing").await;
    anonymous.expect_focused("#confirm button.primary").await;
    anonymous.click("#confirm button.primary").await;
    anonymous
        .expect_text("#message", "This link is no longer valid")
        .await;
    anonymous.expect_hidden("input").await;
    anonymous.expect_visible("a.primary[href='/account']").await;
    anonymous.expect_only_console_errors(&["status of 4"]).await;
}
