//! What happens to a file while somebody has its page open.

use reqwest::Method;
use serde_json::json;

use crate::{app::file, stage::Stage};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_typed_stays_until_its_dialog_is_closed() {
    let Some(stage) = Stage::open().await else { return };
    let ben = stage.app.editor("ben").await;
    ben.add("gear.mcam", b"one").await.is(201);
    let ada = stage.editor("ada").await;
    ada.goto("/v/main/h/gear.mcam").await;
    ada.is_live().await;
    ada.clicks("[data-action=describe], .actions summary").await;
    ada.clicks("[data-action=describe]").await;
    ada.writes("#describe-dialog textarea", "The large gear of the").await;
    ben.tell(&file("gear.mcam", "/move"), json!({"to": "gears/large.mcam"})).await.is(200);
    ada.reads("#describe-dialog", "moved it just now. What you typed stays here.").await;
    ada.arrives_at("/v/main/h/gear.mcam").await;
    ada.sees("document.querySelector('#describe-dialog textarea').value === 'The large gear of the'").await;
    ada.clicks("#describe-dialog [data-close]").await;
    ada.arrives_at("/v/main/h/gears/large.mcam").await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_read_any_more_is_told_so_once() {
    let Some(stage) = Stage::open().await else { return };
    let root = stage.app.administrator("root").await;
    let ada = stage.editor("ada").await;
    ada.is_live().await;
    root.ask(root.request(Method::DELETE, "/api/vaults/main/members/ada")).await.is(204);
    ada.sees("document.querySelector('#live').dataset.state === 'stopped'").await;
}
