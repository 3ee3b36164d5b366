//! Groups: changes to members and roles take effect at once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    both,
};

impl Client {
    async fn put_status(&self, path: &str, body: Value) -> u16 {
        let request = self.put_request(path);
        self.send(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
        .await
        .status()
    }

    async fn delete_status(&self, path: &str) -> u16 {
        self.send(self.delete_request(path)).await.status()
    }

    async fn vault_role(&self, vault: &str) -> Value {
        self.get(&format!("/api/vaults/{vault}"))
            .await
            .expect_status(200)
            .body["role"]
            .clone()
    }
}

/// The vault attic, and the group welders: an editor there, with the member ben.
async fn app_with_group(app: &TestApp) -> (Client, Client) {
    let (root, ben) = (app.administrator("root").await, app.editor("ben").await);
    root.post("/api/vaults", json!({"name": "attic"}))
        .await
        .expect_status(201);
    root.post("/api/groups", json!({"name": "welders"}))
        .await
        .expect_status(201);
    assert_eq!(
        root.put_status("/api/groups/welders/members/ben", Value::Null)
            .await,
        204
    );
    assert_eq!(
        root.put_status(
            "/api/vaults/attic/groups/welders",
            json!({"role": "editor"})
        )
        .await,
        204
    );
    (root, ben)
}

both! {
    async fn group_role_ends_when_the_group_is_deleted(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        assert_eq!(ben.vault_role("attic").await, "editor");
        assert_eq!(root.put_status("/api/vaults/attic/groups/welders", json!({"role": "manager"})).await, 204);
        assert_eq!(ben.vault_role("attic").await, "manager");
        assert_eq!(root.delete_status("/api/groups/welders").await, 204);
        assert_eq!(root.delete_status("/api/groups/welders").await, 404);
        ben.get("/api/vaults/attic").await.expect_status(404);
        ben.get("/api/vaults/attic/files").await.expect_status(404);
        // A new group with the old name does not inherit its rights.
        root.post("/api/groups", json!({"name": "welders"})).await.expect_status(201);
        assert_eq!(root.get("/api/groups/welders").await.expect_status(200).body["members"], json!([]));
        ben.get("/api/vaults/attic").await.expect_status(404);
    }

    async fn removed_group_member_or_role_loses_access_immediately(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        assert_eq!(root.delete_status("/api/groups/welders/members/ben").await, 204);
        ben.get("/api/vaults/attic/files").await.expect_status(404);
        assert_eq!(root.put_status("/api/groups/welders/members/ben", Value::Null).await, 204);
        ben.get("/api/vaults/attic/files").await.expect_status(200);
        assert_eq!(root.delete_status("/api/vaults/attic/groups/welders").await, 204);
        ben.get("/api/vaults/attic/files").await.expect_status(404);
    }

    async fn highest_direct_or_group_role_applies(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        root.post("/api/groups", json!({"name": "guests"})).await.expect_status(201);
        assert_eq!(root.put_status("/api/groups/guests/members/ben", Value::Null).await, 204);
        assert_eq!(root.put_status("/api/vaults/attic/groups/guests", json!({"role": "viewer"})).await, 204);
        assert_eq!(ben.vault_role("attic").await, "editor");
        assert_eq!(root.put_status("/api/vaults/attic/members/ben", json!({"role": "manager"})).await, 204);
        assert_eq!(ben.vault_role("attic").await, "manager");
        let members = root.get("/api/vaults/attic/members").await.expect_status(200).body;
        assert_eq!(members[0], json!({
            "username": "ben", "display_name": null, "role": "manager", "own_role": "manager",
            "through": {"guests": "viewer", "welders": "editor"},
        }));
        let user = root.get("/api/users/ben").await.expect_status(200).body;
        assert_eq!(user["groups"], json!(["guests", "welders"]));
        assert_eq!(user["roles"], json!({"attic": "manager", "main": "editor"}));
        assert_eq!(root.delete_status("/api/vaults/attic/members/ben").await, 204);
        assert_eq!(ben.vault_role("attic").await, "editor");
        let user = root.get("/api/users/ben").await.expect_status(200).body;
        assert_eq!(user["effective_roles"], json!({"attic": "editor", "main": "editor"}));
        let members = root.get("/api/vaults/attic/members").await.expect_status(200).body;
        assert_eq!((&members[0]["own_role"], &members[0]["role"]), (&Value::Null, &json!("editor")));
    }

    async fn vault_manager_sets_group_roles_in_own_vault(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        assert_eq!(root.put_status("/api/vaults/attic/groups/welders", json!({"role": "manager"})).await, 204);
        root.post("/api/groups", json!({"name": "guests"})).await.expect_status(201);
        assert_eq!(ben.put_status("/api/vaults/attic/groups/guests", json!({"role": "viewer"})).await, 204);
        let groups = ben.get("/api/vaults/attic/groups").await.expect_status(200).body;
        assert_eq!(groups, json!([{"group": "guests", "role": "viewer"}, {"group": "welders", "role": "manager"}]));
        assert_eq!(ben.put_status("/api/vaults/main/groups/guests", json!({"role": "viewer"})).await, 403);
        assert_eq!(ben.put_status("/api/vaults/attic/groups/nobody", json!({"role": "viewer"})).await, 404);
        assert_eq!(ben.put_status("/api/vaults/attic/groups/guests", json!({"role": "king"})).await, 422);
        for path in ["/api/groups", "/api/groups/welders"] {
            ben.get(path).await.expect_status(403);
        }
        ben.post("/api/groups", json!({"name": "mine"})).await.expect_status(403);
        assert_eq!(ben.put_status("/api/groups/guests/members/ben", Value::Null).await, 403);
        assert_eq!(ben.delete_status("/api/groups/welders").await, 403);
    }

    async fn group_cannot_grant_administrator(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        for body in [json!({"name": "admins", "is_admin": true}), json!({"name": "Admins"}), json!({"name": ""}), json!({})] {
            root.post("/api/groups", body).await.expect_status(422);
        }
        assert_eq!(root.put_status("/api/vaults/attic/groups/welders", json!({"role": "admin"})).await, 422);
        assert_eq!(root.put_status("/api/vaults/attic/groups/welders", json!({"role": "manager", "is_admin": true})).await, 422);
        root.post("/api/groups", json!({"name": "welders"})).await.expect_status(409);
        ben.get("/api/users").await.expect_status(403);
    }

    async fn unknown_or_deleted_account_cannot_join_a_group(app: TestApp) {
        let (root, _) = app_with_group(&app).await;
        assert_eq!(root.put_status("/api/groups/welders/members/nobody", Value::Null).await, 404);
        assert_eq!(root.put_status("/api/groups/nobody/members/ben", Value::Null).await, 404);
        assert_eq!(root.put_status("/api/groups/welders/members/ben", Value::Null).await, 204, "the call is idempotent");
        assert_eq!(root.delete_status("/api/users/ben").await, 204);
        assert_eq!(root.get("/api/groups/welders").await.expect_status(200).body["members"], json!([]));
        assert_eq!(root.put_status("/api/groups/welders/members/ben", Value::Null).await, 404);
        assert_eq!(root.get("/api/vaults/attic/members").await.expect_status(200).body[0]["username"], "root");
    }

    async fn manager_through_group_can_invite_while_manager(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        let to_attic = json!({"roles": {"attic": "viewer"}});
        ben.post("/auth/invites", to_attic.clone()).await.expect_status(403);
        assert_eq!(root.put_status("/api/vaults/attic/groups/welders", json!({"role": "manager"})).await, 204);
        let made = ben.post("/auth/invites", to_attic).await.expect_status(201).body;
        let invite = made["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        let look = json!({"invite": invite});
        app.anonymous().post("/auth/invites/preview", look.clone()).await.expect_status(200);
        assert_eq!(root.delete_status("/api/groups/welders").await, 204);
        app.anonymous().post("/auth/invites/preview", look).await.expect_status(403);
    }

    async fn disabled_account_has_no_group_role(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        root.send(root.request_builder(Method::PATCH, "/api/users/ben").json(&json!({"disabled": true}))).await.expect_status(200);
        ben.get("/api/vaults/attic/files").await.expect_status(401);
        let members = root.get("/api/vaults/attic/members").await.expect_status(200).body;
        assert!(!members.to_string().contains("ben"), "{members}");
    }
}
