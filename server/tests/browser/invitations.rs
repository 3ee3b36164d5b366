//! The invitations and groups pages.

use serde_json::{Value, json};

use crate::{app::PASSWORD, browser_test::BrowserTest, window::Window};

/// The fragment of the displayed link.
async fn displayed_token(window: &Window) -> String {
    window
        .wait_for_js("document.querySelector('#link').value.includes('/join#')")
        .await;
    let link = window
        .evaluate("document.querySelector('#link').value")
        .await;
    link.as_str().unwrap().split_once('#').unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_page_registers_account_with_its_role() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    ada.goto("/admin/invites").await;
    ada.click("#new-invite").await;
    ada.select_option("#new-invite-dialog select[data-vault=main]", "manager")
        .await;
    ada.fill("#new-invite-dialog [name=email]", "kim@example.org")
        .await;
    ada.click("#new-invite-dialog [data-submit]").await;
    let token = displayed_token(&ada).await;
    ada.expect_text("#invites", "kim@example.org").await;
    ada.expect_text("#invites", "manager of main").await;

    let kim = stage.new_window("kim").await;
    kim.goto(&format!("/join#{token}")).await;
    kim.expect_text("#offer", "ada invites you. You will be manager of main. Your e-mail address here is kim@example.org.")
        .await;
    kim.expect_hidden("#email-field, #token-field").await;
    assert_eq!(
        kim.evaluate("location.hash").await,
        json!(""),
        "the history has no token"
    );
    // A rejected password does not consume the invitation.
    kim.fill("#username", "kim").await;
    kim.run_script("document.querySelector('#join').noValidate = true")
        .await;
    kim.fill("#password", "short").await;
    kim.click("#join button.primary").await;
    kim.expect_text("#message", "15 characters").await;
    kim.fill("#password", PASSWORD).await;
    kim.click("#join button.primary").await;
    kim.expect_path("/").await;
    kim.wait_until_live().await;
    kim.goto("/account").await;
    kim.wait_for_js(
        "document.querySelector('#main input[name=email]').value === 'kim@example.org'",
    )
    .await;
    // A vault manager can invite without being an administrator.
    kim.click("#user-menu summary").await;
    kim.click("#user-menu a[href='/admin/invites']").await;
    kim.expect_visible("#new-invite").await;
    kim.expect_hidden(".tabs a[href='/admin/users']").await;
    ada.reload().await;
    ada.expect_visible("#no-invites").await;

    let eve = stage.new_window("eve").await;
    eve.goto(&format!("/join#{token}")).await;
    eve.expect_text("#offer", "This invitation is no longer valid")
        .await;
    eve.expect_hidden("#join").await;
    ada.expect_no_console_errors().await;
    kim.expect_only_console_errors(&["status of 422"]).await;
    eve.expect_only_console_errors(&["status of 403"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_is_withdrawn_on_the_page() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    ada.goto("/admin/invites").await;
    ada.click("#new-invite").await;
    ada.click("#new-invite-dialog [data-submit]").await;
    let token = displayed_token(&ada).await;
    ada.click("#invites [data-action=withdraw]").await;
    ada.expect_text("#notices", "The invitation is withdrawn.")
        .await;
    ada.expect_visible("#no-invites").await;
    let answer = stage
        .app
        .anonymous()
        .post("/auth/invites/preview", json!({"invite": token}))
        .await;
    assert_eq!(answer.status(), 403);
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn group_page_grants_a_member_its_role() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let ben = stage.app.editor("ben").await;
    ada.goto("/admin/users").await;
    ada.click(".tabs a[href='/admin/groups']").await;
    ada.expect_visible("#no-groups").await;
    ada.click("#new-group").await;
    ada.fill("#new-group-dialog [name=name]", "welders").await;
    ada.click("#new-group-dialog [data-submit]").await;
    ada.fill("[data-group=welders] [name=username]", "nobody")
        .await;
    ada.press_keys("\u{e007}").await;
    ada.expect_text("#groups-error", "User not found").await;
    ada.fill("[data-group=welders] [name=username]", "ben")
        .await;
    ada.click("[data-group=welders] form[data-add] button")
        .await;
    ada.expect_visible("[data-group=welders] [data-member=ben]")
        .await;
    ada.select_option("[data-group=welders] select[data-vault=main]", "manager")
        .await;
    ada.expect_text("#notices", "welders is manager of main.")
        .await;
    assert_eq!(
        ben.get("/api/vaults/main").await.expect_status(200).body["role"],
        "manager"
    );
    ada.click("[data-group=welders] [data-member=ben] a").await;
    ada.expect_path("/admin/users/ben").await;
    ada.expect_text("[data-through=main]", "manager via a group")
        .await;
    ada.click("[data-action=make-admin]").await;
    ada.click("#confirm-dialog [data-submit]").await;
    ada.expect_text("#notices", "ben is an administrator.")
        .await;
    ada.click("[data-action=unmake-admin]").await;
    ada.click("#confirm-dialog [data-submit]").await;
    ada.expect_text("#notices", "ben is no longer an administrator.")
        .await;
    ada.goto("/admin/groups").await;
    ada.click("[data-group=welders] [data-action=delete-group]")
        .await;
    ada.click("#delete-group-dialog [data-submit]").await;
    ada.expect_visible("#no-groups").await;
    assert_eq!(
        ben.get("/api/vaults/main").await.expect_status(200).body["role"],
        "editor"
    );
    assert_eq!(
        ben.get("/api/groups").await.expect_status(403).body["groups"],
        Value::Null
    );
    ada.expect_only_console_errors(&["status of 404"]).await;
}
