//! The pages for accounts, sessions and roles.

use crate::{app::PASSWORD, stage::Stage, vault::row};

const BETTER: &str = "four quiet lathes hum";

#[tokio::test(flavor = "multi_thread")]
async fn changed_password_replaces_old_one_in_browser() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.goto("/account").await;
    ada.writes("#current", "not my password at all").await;
    ada.writes("#password", BETTER).await;
    ada.clicks("#password-form [data-submit]").await;
    ada.reads(
        "#password-form [data-error]",
        "Enter it again, or reset your password.",
    )
    .await;
    ada.writes("#current", PASSWORD).await;
    ada.clicks("#password-form [data-submit]").await;
    ada.reads("#notices", "Your password is changed.").await;
    ada.clicks("#user-menu summary").await;
    ada.clicks("#sign-out").await;
    ada.arrives_at("/sign-in").await;
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#sign-in button.primary").await;
    ada.reads("#message", "Incorrect username or password")
        .await;
    ada.signs_in(BETTER).await;
    ada.complains_only_of(&["status of 401", "status of 403", "status of 422"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ended_elsewhere_redirects_to_sign_in() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let forgotten = stage.window("ada").await;
    forgotten.signs_in(PASSWORD).await;
    ada.goto("/account").await;
    ada.reads("#sessions [data-current]", "This session").await;
    // The initial sign-in through the API has its own session, listed as an app.
    ada.reads("#sessions", "App").await;
    let others =
        "#sessions [data-session]:not([data-current], :has(.tag)) [data-action=end-session]";
    ada.clicks(others).await;
    ada.reads("#notices", "The session has ended.").await;
    forgotten.arrives_at("/sign-in").await;
    ada.clicks("#end-others").await;
    ada.misses("#end-others").await;
    ada.reload().await;
    ada.arrives_at("/account").await;
    assert_eq!(
        ada.value("document.querySelectorAll('[data-session]').length")
            .await,
        1
    );
    ada.has_no_complaints().await;
    forgotten.complains_only_of(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewer_page_offers_no_write_actions() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let program = stage.app.editor("ben").await;
    let ben = stage.window("ben").await;
    program.add("gear.mcam", b"one").await.is(201);
    ben.signs_in(PASSWORD).await;
    ben.finds(&format!("{} [data-action=check-out]", row("gear.mcam")))
        .await;
    ada.clicks("#user-menu summary").await;
    ada.clicks("a[href='/admin/users']").await;
    ada.picks("[data-user=ben] select[data-vault=main]", "viewer")
        .await;
    ada.reads("#notices", "ben is viewer of main.").await;
    // The open page still shows the button. The server rejects the action and the page shows the
    // error.
    ben.acts("gear.mcam", "check-out").await;
    ben.finds("#notices [data-kind=error]").await;
    program.check_out("gear.mcam").await.is(403);
    ben.reload().await;
    ben.is_live().await;
    ben.finds(&format!("{} [data-action=download]", row("gear.mcam")))
        .await;
    ben.misses(
        "[data-action=check-out], [data-action=add], [data-action=describe], [data-action=delete]",
    )
    .await;
    ben.complains_only_of(&["status of 403"]).await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_account_page_redirects_to_sign_in() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let (ada, ben) = (stage.administrator("ada").await, stage.editor("ben").await);
    ada.goto("/admin/users").await;
    ada.clicks("[data-user=ben] .more summary").await;
    ada.clicks("[data-user=ben] [data-action=disable]").await;
    ada.reads("#notices", "ben is signed out and cannot sign in.")
        .await;
    ben.arrives_at("/sign-in").await;
    ben.writes("#username", "ben").await;
    ben.writes("#password", PASSWORD).await;
    ben.clicks("#sign-in button.primary").await;
    ben.reads("#message", "Incorrect username or password")
        .await;
    // The last administrator cannot be disabled.
    ada.clicks("[data-user=ada] .more summary").await;
    ada.clicks("[data-user=ada] [data-action=unmake-admin]")
        .await;
    ada.finds("#users-error").await;
    ada.finds("[data-user=ada][data-admin]").await;
    ada.complains_only_of(&["status of 409"]).await;
    ben.complains_only_of(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_out_blocks_pages_and_back_button() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.clicks("#user-menu summary").await;
    ada.clicks("#sign-out").await;
    ada.arrives_at("/sign-in").await;
    ada.goto("/v/main").await;
    ada.arrives_at("/sign-in").await;
    ada.browser.back().await.unwrap();
    ada.arrives_at("/sign-in").await;
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#sign-in button.primary").await;
    ada.arrives_at("/").await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_link_page_offers_a_new_link() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let nobody = stage.window("nobody").await;
    nobody.goto("/reset#sr_rs_nothing").await;
    nobody.writes("#password", BETTER).await;
    nobody.clicks("#reset button.primary").await;
    nobody
        .reads("#message", "This link is no longer valid")
        .await;
    nobody.misses("input").await;
    nobody.finds("a.primary[href='/forgot']").await;
    nobody.goto("/confirm-email#nothing").await;
    nobody.is_focused("#confirm button.primary").await;
    nobody.clicks("#confirm button.primary").await;
    nobody
        .reads("#message", "This link is no longer valid")
        .await;
    nobody.misses("input").await;
    nobody.finds("a.primary[href='/account']").await;
    nobody.complains_only_of(&["status of 4"]).await;
}
