//! Operations on files.

use serde_json::{Value, json};

use super::AuditCoverage;
use crate::app::{Client, file_url};

pub(super) async fn cover_files(story: &mut AuditCoverage, ada: &Client) {
    let root = story.root.clone();
    story
        .expect_audited(
            "create_vault",
            "root",
            "vault.created",
            root.post("/api/vaults", json!({"name": "attic"})).await,
        )
        .await;
    story
        .expect_audited("add_file", "ada", "file.add", ada.add("a.nc", b"1").await)
        .await;
    let describe = ada
        .put_request(&file_url("a.nc", ""))
        .json(&json!({"description": "d"}));
    story
        .expect_audited(
            "describe_file",
            "ada",
            "file.describe",
            ada.send(describe).await,
        )
        .await;
    cover_check_outs(story, ada).await;
    cover_move_and_restore(story, ada).await;
    cover_override_and_delete(story, ada).await;
}

async fn cover_check_outs(story: &mut AuditCoverage, ada: &Client) {
    story
        .expect_audited(
            "check_out_file",
            "ada",
            "file.checkout",
            ada.check_out("a.nc").await,
        )
        .await;
    story
        .expect_audited(
            "cancel_check_out",
            "ada",
            "file.cancel",
            ada.post(&file_url("a.nc", "/cancel"), Value::Null).await,
        )
        .await;
    ada.check_out("a.nc").await.expect_status(200);
    story
        .expect_audited(
            "check_in_file",
            "ada",
            "file.checkin",
            ada.check_in("a.nc", b"2", "better").await,
        )
        .await;
}

async fn cover_move_and_restore(story: &mut AuditCoverage, ada: &Client) {
    story
        .expect_audited(
            "move_file",
            "ada",
            "file.move",
            ada.post(&file_url("a.nc", "/move"), json!({"to": "b.nc"}))
                .await,
        )
        .await;
    story
        .expect_audited(
            "restore_file",
            "ada",
            "file.restore",
            ada.post(&file_url("b.nc", "/restore"), json!({"revision": 1}))
                .await,
        )
        .await;
}

async fn cover_override_and_delete(story: &mut AuditCoverage, ada: &Client) {
    let root = story.root.clone();
    ada.check_out("b.nc").await.expect_status(200);
    let broken = root
        .post(
            &file_url("b.nc", "/override"),
            json!({"reason": "on holiday"}),
        )
        .await;
    story
        .expect_audited("override_lock", "root", "file.override", broken)
        .await;
    story
        .expect_audited(
            "delete_file",
            "root",
            "file.delete",
            root.send(root.delete_request(&file_url("b.nc", ""))).await,
        )
        .await;
}
