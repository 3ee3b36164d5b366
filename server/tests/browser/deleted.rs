//! The list of deleted files, for users who do not know a file's URL.

use crate::{app::PASSWORD, stage::Stage, vault::row};

#[tokio::test(flavor = "multi_thread")]
async fn deleted_file_can_be_restored_from_the_list() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let program = stage.app.editor("ben").await;
    program.add("fixtures/vise.step", b"one").await.is(201);
    program.add("gear.mcam", b"two").await.is(201);
    ada.goto("/v/main").await;
    ada.is_live().await;
    ada.acts("gear.mcam", "delete").await;
    ada.clicks("#delete-dialog [data-submit]").await;
    ada.misses(&row("gear.mcam")).await;
    ada.clicks("a[href='/v/main/deleted']").await;
    ada.is_live().await;
    ada.reads("[data-file='gear.mcam']", "by ada").await;
    // An open list shows a file that another user deletes.
    let administrator = stage.app.sign_in("ada").await;
    administrator
        .ask(administrator.delete(&crate::app::file("fixtures/vise.step", "")))
        .await
        .is(204);
    ada.reads("[data-file='fixtures/vise.step']", "in fixtures")
        .await;
    ada.is_live().await;
    ada.clicks("[data-file='gear.mcam'] [data-action=restore]")
        .await;
    ada.reads("#restore-dialog", "gear.mcam").await;
    ada.clicks("#restore-dialog [data-submit]").await;
    ada.reads("#notices", "gear.mcam is restored as revision 3.")
        .await;
    ada.misses("[data-file='gear.mcam']").await;
    ada.clicks("#notices a").await;
    ada.arrives_at("/v/main/h/gear.mcam").await;
    // A viewer can open the list, but gets no restore button.
    ada.goto("/admin/users").await;
    ada.picks("[data-user=ben] select[data-vault=main]", "viewer")
        .await;
    ada.reads("#notices", "ben is viewer of main.").await;
    let ben = stage.window("ben").await;
    ben.signs_in(PASSWORD).await;
    ben.goto("/v/main/deleted").await;
    ben.finds("[data-file='fixtures/vise.step'] a.name").await;
    ben.misses("[data-action=restore]").await;
    ada.has_no_complaints().await;
    ben.has_no_complaints().await;
}
