//! What administrators do.

use serde_json::{Value, json};

use super::{AuditCoverage, delete};
use crate::app::{Client, TestApp, TestResponse};

pub(super) async fn cover_administration(app: &TestApp, story: &mut AuditCoverage) {
    cover_members(story).await;
    cover_groups(story).await;
    cover_invites(story).await;
    cover_throttles(app, story).await;
    cover_user_changes(story).await;
    cover_account_recovery(story).await;
    cover_ended_accounts(app, story).await;
}

async fn put_manager(root: &Client, path: &str) -> TestResponse {
    let manager = json!({"role": "manager"});
    root.send(root.put_request(path).json(&manager)).await
}

async fn cover_members(story: &mut AuditCoverage) {
    let root = story.root.clone();
    story
        .expect_audited(
            "set_member",
            "root",
            "role.changed",
            put_manager(&root, "/api/vaults/main/members/ada").await,
        )
        .await;
    story
        .expect_audited(
            "remove_member",
            "root",
            "role.changed",
            delete(&root, "/api/vaults/main/members/ada").await,
        )
        .await;
}

async fn cover_groups(story: &mut AuditCoverage) {
    let root = story.root.clone();
    story
        .expect_audited(
            "create_group",
            "root",
            "group.made",
            root.post("/api/groups", json!({"name": "cam"})).await,
        )
        .await;
    story
        .expect_audited(
            "set_group_role",
            "root",
            "group.changed",
            put_manager(&root, "/api/vaults/main/groups/cam").await,
        )
        .await;
    let joined = root
        .send(root.put_request("/api/groups/cam/members/ada"))
        .await;
    story
        .expect_audited("add_group_member", "root", "group.changed", joined)
        .await;
    story
        .expect_audited(
            "remove_group_member",
            "root",
            "group.changed",
            delete(&root, "/api/groups/cam/members/ada").await,
        )
        .await;
    story
        .expect_audited(
            "remove_group_role",
            "root",
            "group.changed",
            delete(&root, "/api/vaults/main/groups/cam").await,
        )
        .await;
    story
        .expect_audited(
            "delete_group",
            "root",
            "group.removed",
            delete(&root, "/api/groups/cam").await,
        )
        .await;
}

async fn cover_invites(story: &mut AuditCoverage) {
    let root = story.root.clone();
    let invited = root
        .post("/auth/invites", json!({"roles": {"main": "viewer"}}))
        .await;
    let invited = story
        .expect_audited("create_invite", "root", "invite.made", invited)
        .await;
    let path = format!("/auth/invites/{}", invited.body["id"].as_str().unwrap());
    story
        .expect_audited(
            "withdraw_invite",
            "root",
            "invite.withdrawn",
            delete(&root, &path).await,
        )
        .await;
}

async fn cover_throttles(app: &TestApp, story: &mut AuditCoverage) {
    let root = story.root.clone();
    for _ in 0..6 {
        let form = [("username", "ada"), ("password", "wrong wrong wrong")];
        app.anonymous()
            .post_request("/auth/token")
            .form(&form)
            .send()
            .await
            .unwrap();
    }
    story
        .expect_audited(
            "lift_account_lockout",
            "root",
            "throttle.lifted",
            delete(&root, "/api/throttle/accounts/ada").await,
        )
        .await;
    story
        .expect_audited(
            "lift_network_lockout",
            "root",
            "throttle.lifted",
            delete(&root, "/api/throttle/networks/127.0.0.1").await,
        )
        .await;
}

async fn cover_user_changes(story: &mut AuditCoverage) {
    let root = story.root.clone();
    let change = async |fields: Value| {
        root.send(
            root.request_builder(reqwest::Method::PATCH, "/api/users/ada")
                .json(&fields),
        )
        .await
    };
    story
        .expect_audited(
            "change_user",
            "root",
            "account.changed",
            change(json!({"is_admin": true})).await,
        )
        .await;
    story
        .expect_audited(
            "change_user",
            "root",
            "email.changed",
            change(json!({"email": "x@example.org"})).await,
        )
        .await;
    story
        .expect_audited(
            "change_user",
            "root",
            "reset.required",
            change(json!({"reset_required": true})).await,
        )
        .await;
}

async fn cover_account_recovery(story: &mut AuditCoverage) {
    let root = story.root.clone();
    story
        .expect_audited(
            "create_reset_link",
            "root",
            "reset.made",
            root.post("/api/users/ada/reset", Value::Null).await,
        )
        .await;
    let recovered = root
        .post("/api/users/ada/recover", json!({"reason": "lost"}))
        .await;
    story
        .expect_audited("recover_user", "root", "factors.recovered", recovered)
        .await;
}

async fn cover_ended_accounts(app: &TestApp, story: &mut AuditCoverage) {
    let root = story.root.clone();
    app.editor("bob").await;
    let ended = root.post("/api/users/bob/end-sessions", Value::Null).await;
    story
        .expect_audited("end_user_sessions", "root", "sessions.ended", ended)
        .await;
    story
        .expect_audited(
            "delete_user",
            "root",
            "account.changed",
            delete(&root, "/api/users/bob").await,
        )
        .await;
    let ended = root
        .post("/api/sessions/end-all", json!({"reason": "a test"}))
        .await;
    story
        .expect_audited("end_all_sessions", "root", "everybody.signed_out", ended)
        .await;
}
