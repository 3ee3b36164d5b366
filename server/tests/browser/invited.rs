//! The invitations and groups pages.

use serde_json::{Value, json};

use crate::{app::PASSWORD, stage::Stage, window::Window};

/// The fragment of the displayed link.
async fn shown_token(window: &Window) -> String {
    window
        .sees("document.querySelector('#link').value.includes('/join#')")
        .await;
    let link = window.value("document.querySelector('#link').value").await;
    link.as_str().unwrap().split_once('#').unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_page_registers_account_with_its_role() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    ada.goto("/admin/invites").await;
    ada.clicks("#new-invite").await;
    ada.picks("#new-invite-dialog select[data-vault=main]", "manager")
        .await;
    ada.writes("#new-invite-dialog [name=email]", "kim@example.org")
        .await;
    ada.clicks("#new-invite-dialog [data-submit]").await;
    let token = shown_token(&ada).await;
    ada.reads("#invites", "kim@example.org").await;
    ada.reads("#invites", "manager of main").await;

    let kim = stage.window("kim").await;
    kim.goto(&format!("/join#{token}")).await;
    kim.reads("#offer", "ada invites you. You will be manager of main. Your e-mail address here is kim@example.org.")
        .await;
    kim.misses("#email-field, #token-field").await;
    assert_eq!(
        kim.value("location.hash").await,
        json!(""),
        "the token stays in no history"
    );
    // A rejected password does not consume the invitation.
    kim.writes("#username", "kim").await;
    kim.run("document.querySelector('#join').noValidate = true")
        .await;
    kim.writes("#password", "short").await;
    kim.clicks("#join button.primary").await;
    kim.reads("#message", "15 characters").await;
    kim.writes("#password", PASSWORD).await;
    kim.clicks("#join button.primary").await;
    kim.arrives_at("/").await;
    kim.is_live().await;
    kim.goto("/account").await;
    kim.sees("document.querySelector('#main input[name=email]').value === 'kim@example.org'")
        .await;
    // A vault manager can invite without being an administrator.
    kim.clicks("#user-menu summary").await;
    kim.clicks("#user-menu a[href='/admin/invites']").await;
    kim.finds("#new-invite").await;
    kim.misses(".tabs a[href='/admin/users']").await;
    ada.reload().await;
    ada.finds("#no-invites").await;

    let eve = stage.window("eve").await;
    eve.goto(&format!("/join#{token}")).await;
    eve.reads("#offer", "This invitation is no longer valid")
        .await;
    eve.misses("#join").await;
    ada.has_no_complaints().await;
    kim.complains_only_of(&["status of 422"]).await;
    eve.complains_only_of(&["status of 403"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_is_withdrawn_on_the_page() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    ada.goto("/admin/invites").await;
    ada.clicks("#new-invite").await;
    ada.clicks("#new-invite-dialog [data-submit]").await;
    let token = shown_token(&ada).await;
    ada.clicks("#invites [data-action=withdraw]").await;
    ada.reads("#notices", "The invitation is withdrawn.").await;
    ada.finds("#no-invites").await;
    let answer = stage
        .app
        .anonymous()
        .tell("/auth/invites/preview", json!({"invite": token}))
        .await;
    assert_eq!(answer.status, 403);
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn group_page_grants_a_member_its_role() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let ben = stage.app.editor("ben").await;
    ada.goto("/admin/users").await;
    ada.clicks(".tabs a[href='/admin/groups']").await;
    ada.finds("#no-groups").await;
    ada.clicks("#new-group").await;
    ada.writes("#new-group-dialog [name=name]", "welders").await;
    ada.clicks("#new-group-dialog [data-submit]").await;
    ada.writes("[data-group=welders] [name=username]", "nobody")
        .await;
    ada.presses("\u{e007}").await;
    ada.reads("#groups-error", "User not found").await;
    ada.writes("[data-group=welders] [name=username]", "ben")
        .await;
    ada.clicks("[data-group=welders] form[data-add] button")
        .await;
    ada.finds("[data-group=welders] [data-member=ben]").await;
    ada.picks("[data-group=welders] select[data-vault=main]", "manager")
        .await;
    ada.reads("#notices", "welders is manager of main.").await;
    assert_eq!(ben.see("/api/vaults/main").await.body["role"], "manager");
    ada.clicks("[data-group=welders] [data-member=ben] a").await;
    ada.arrives_at("/admin/users/ben").await;
    ada.reads("[data-through=main]", "manager via a group")
        .await;
    ada.clicks("[data-action=make-admin]").await;
    ada.reads("#notices", "ben is an administrator.").await;
    ada.clicks("[data-action=unmake-admin]").await;
    ada.reads("#notices", "ben is no longer an administrator.")
        .await;
    ada.goto("/admin/groups").await;
    ada.clicks("[data-group=welders] [data-action=delete-group]")
        .await;
    ada.clicks("#delete-group-dialog [data-submit]").await;
    ada.finds("#no-groups").await;
    assert_eq!(ben.see("/api/vaults/main").await.body["role"], "editor");
    assert_eq!(ben.see("/api/groups").await.body["groups"], Value::Null);
    ada.complains_only_of(&["status of 404"]).await;
}
