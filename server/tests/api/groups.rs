//! Groups: changes to members and roles take effect at once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    both,
};

impl Client {
    async fn puts(&self, path: &str, body: Value) -> u16 {
        let request = self.put(path);
        self.ask(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
        .await
        .status
    }

    async fn deletes(&self, path: &str) -> u16 {
        self.ask(self.delete(path)).await.status
    }

    async fn vault_role(&self, vault: &str) -> Value {
        self.see(&format!("/api/vaults/{vault}")).await.body["role"].clone()
    }
}

/// The vault attic, and the group welders: an editor there, with the member ben.
async fn app_with_group(app: &TestApp) -> (Client, Client) {
    let (root, ben) = (app.administrator("root").await, app.editor("ben").await);
    root.tell("/api/vaults", json!({"name": "attic"}))
        .await
        .is(201);
    root.tell("/api/groups", json!({"name": "welders"}))
        .await
        .is(201);
    assert_eq!(
        root.puts("/api/groups/welders/members/ben", Value::Null)
            .await,
        204
    );
    assert_eq!(
        root.puts(
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
        assert_eq!(root.puts("/api/vaults/attic/groups/welders", json!({"role": "manager"})).await, 204);
        assert_eq!(ben.vault_role("attic").await, "manager");
        assert_eq!(root.deletes("/api/groups/welders").await, 204);
        assert_eq!(root.deletes("/api/groups/welders").await, 404);
        ben.see("/api/vaults/attic").await.is(404);
        ben.see("/api/vaults/attic/files").await.is(404);
        // A new group with the old name does not inherit its rights.
        root.tell("/api/groups", json!({"name": "welders"})).await.is(201);
        assert_eq!(root.see("/api/groups/welders").await.body["members"], json!([]));
        ben.see("/api/vaults/attic").await.is(404);
    }

    async fn removed_group_member_or_role_loses_access_immediately(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        assert_eq!(root.deletes("/api/groups/welders/members/ben").await, 204);
        ben.see("/api/vaults/attic/files").await.is(404);
        assert_eq!(root.puts("/api/groups/welders/members/ben", Value::Null).await, 204);
        ben.see("/api/vaults/attic/files").await.is(200);
        assert_eq!(root.deletes("/api/vaults/attic/groups/welders").await, 204);
        ben.see("/api/vaults/attic/files").await.is(404);
    }

    async fn highest_direct_or_group_role_applies(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        root.tell("/api/groups", json!({"name": "guests"})).await.is(201);
        assert_eq!(root.puts("/api/groups/guests/members/ben", Value::Null).await, 204);
        assert_eq!(root.puts("/api/vaults/attic/groups/guests", json!({"role": "viewer"})).await, 204);
        assert_eq!(ben.vault_role("attic").await, "editor");
        assert_eq!(root.puts("/api/vaults/attic/members/ben", json!({"role": "manager"})).await, 204);
        assert_eq!(ben.vault_role("attic").await, "manager");
        let members = root.see("/api/vaults/attic/members").await.is(200).body;
        assert_eq!(members[0], json!({
            "username": "ben", "display_name": null, "role": "manager", "own_role": "manager",
            "through": {"guests": "viewer", "welders": "editor"},
        }));
        let user = root.see("/api/users/ben").await.body;
        assert_eq!(user["groups"], json!(["guests", "welders"]));
        assert_eq!(user["roles"], json!({"attic": "manager", "main": "editor"}));
        assert_eq!(root.deletes("/api/vaults/attic/members/ben").await, 204);
        assert_eq!(ben.vault_role("attic").await, "editor");
        let user = root.see("/api/users/ben").await.body;
        assert_eq!(user["effective_roles"], json!({"attic": "editor", "main": "editor"}));
        let members = root.see("/api/vaults/attic/members").await.body;
        assert_eq!((&members[0]["own_role"], &members[0]["role"]), (&Value::Null, &json!("editor")));
    }

    async fn vault_manager_sets_group_roles_in_own_vault(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        assert_eq!(root.puts("/api/vaults/attic/groups/welders", json!({"role": "manager"})).await, 204);
        root.tell("/api/groups", json!({"name": "guests"})).await.is(201);
        assert_eq!(ben.puts("/api/vaults/attic/groups/guests", json!({"role": "viewer"})).await, 204);
        let groups = ben.see("/api/vaults/attic/groups").await.is(200).body;
        assert_eq!(groups, json!([{"group": "guests", "role": "viewer"}, {"group": "welders", "role": "manager"}]));
        assert_eq!(ben.puts("/api/vaults/main/groups/guests", json!({"role": "viewer"})).await, 403);
        assert_eq!(ben.puts("/api/vaults/attic/groups/nobody", json!({"role": "viewer"})).await, 404);
        assert_eq!(ben.puts("/api/vaults/attic/groups/guests", json!({"role": "king"})).await, 422);
        for path in ["/api/groups", "/api/groups/welders"] {
            ben.see(path).await.is(403);
        }
        ben.tell("/api/groups", json!({"name": "mine"})).await.is(403);
        assert_eq!(ben.puts("/api/groups/guests/members/ben", Value::Null).await, 403);
        assert_eq!(ben.deletes("/api/groups/welders").await, 403);
    }

    async fn group_cannot_grant_administrator(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        for body in [json!({"name": "admins", "is_admin": true}), json!({"name": "Admins"}), json!({"name": ""}), json!({})] {
            root.tell("/api/groups", body).await.is(422);
        }
        assert_eq!(root.puts("/api/vaults/attic/groups/welders", json!({"role": "admin"})).await, 422);
        assert_eq!(root.puts("/api/vaults/attic/groups/welders", json!({"role": "manager", "is_admin": true})).await, 422);
        root.tell("/api/groups", json!({"name": "welders"})).await.is(409);
        ben.see("/api/users").await.is(403);
    }

    async fn unknown_or_deleted_account_cannot_join_a_group(app: TestApp) {
        let (root, _) = app_with_group(&app).await;
        assert_eq!(root.puts("/api/groups/welders/members/nobody", Value::Null).await, 404);
        assert_eq!(root.puts("/api/groups/nobody/members/ben", Value::Null).await, 404);
        assert_eq!(root.puts("/api/groups/welders/members/ben", Value::Null).await, 204, "the call is idempotent");
        assert_eq!(root.deletes("/api/users/ben").await, 204);
        assert_eq!(root.see("/api/groups/welders").await.body["members"], json!([]));
        assert_eq!(root.puts("/api/groups/welders/members/ben", Value::Null).await, 404);
        assert_eq!(root.see("/api/vaults/attic/members").await.body[0]["username"], "root");
    }

    async fn manager_through_group_can_invite_while_manager(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        let to_attic = json!({"roles": {"attic": "viewer"}});
        ben.tell("/auth/invites", to_attic.clone()).await.is(403);
        assert_eq!(root.puts("/api/vaults/attic/groups/welders", json!({"role": "manager"})).await, 204);
        let made = ben.tell("/auth/invites", to_attic).await.is(201).body;
        let invite = made["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        let look = json!({"invite": invite});
        app.anonymous().tell("/auth/invites/preview", look.clone()).await.is(200);
        assert_eq!(root.deletes("/api/groups/welders").await, 204);
        app.anonymous().tell("/auth/invites/preview", look).await.is(403);
    }

    async fn disabled_account_has_no_group_role(app: TestApp) {
        let (root, ben) = app_with_group(&app).await;
        root.ask(root.request(Method::PATCH, "/api/users/ben").json(&json!({"disabled": true}))).await.is(200);
        ben.see("/api/vaults/attic/files").await.is(401);
        let members = root.see("/api/vaults/attic/members").await.body;
        assert!(!members.to_string().contains("ben"), "{members}");
    }
}
