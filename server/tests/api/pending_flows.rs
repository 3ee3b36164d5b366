//! Pending flows of a user whose sessions were revoked or whose rights changed: none of them can be
//! completed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse},
    both, personal_tokens,
};

const NEW_PASSWORD: &str = "seven copper kettles sing";

impl Client {
    /// Creates a reset link for a user and returns its secret.
    async fn create_reset_link(&self, name: &str) -> String {
        let made = self
            .post(&format!("/api/users/{name}/reset"), Value::Null)
            .await
            .expect_status(200);
        made.body["link"]
            .as_str()
            .unwrap()
            .split_once('#')
            .unwrap()
            .1
            .to_owned()
    }

    async fn invite_administrator(&self) -> String {
        let made = self
            .post("/auth/invites", json!({"is_admin": true}))
            .await
            .expect_status(201);
        made.body["link"]
            .as_str()
            .unwrap()
            .split_once('#')
            .unwrap()
            .1
            .to_owned()
    }

    async fn change_account(&self, name: &str, what: Value) -> TestResponse {
        self.send(
            self.request_builder(Method::PATCH, &format!("/api/users/{name}"))
                .json(&what),
        )
        .await
    }
}

async fn use_reset_link(app: &TestApp, link: &str) -> TestResponse {
    app.anonymous()
        .post(
            "/auth/reset/confirm",
            json!({"token": link, "new_password": NEW_PASSWORD}),
        )
        .await
}

async fn register_with_invitation(app: &TestApp, name: &str, invite: &str) -> TestResponse {
    app.anonymous()
        .post(
            "/auth/register",
            json!({"username": name, "password": PASSWORD, "invite": invite}),
        )
        .await
}

async fn two_administrators(app: &TestApp) -> (Client, Client) {
    let root = app.administrator("root").await;
    app.editor("mallory").await;
    root.change_account("mallory", json!({"is_admin": true}))
        .await
        .expect_status(200);
    (root, app.sign_in("mallory").await)
}

both! {
    async fn reset_link_is_invalid_once_issuer_loses_permission(app: TestApp) {
        let (root, mallory) = two_administrators(&app).await;
        app.editor("ada").await;
        let link = mallory.create_reset_link("ada").await;
        mallory.post("/auth/sessions/end-others", Value::Null).await.expect_status(200);
        use_reset_link(&app, &link).await.expect_status(403);
        for lost in [json!({"is_admin": false}), json!({"disabled": true})] {
            let mallory = app.sign_in("mallory").await;
            let link = mallory.create_reset_link("root").await;
            root.change_account("mallory", lost).await.expect_status(200);
            use_reset_link(&app, &link).await.expect_status(403).expect_detail("This link is no longer valid. Ask for a new one.");
            root.change_account("mallory", json!({"is_admin": true, "disabled": false})).await.expect_status(200);
        }
        root.get("/auth/me").await.expect_status(200);
        let link = app.sign_in("mallory").await.create_reset_link("root").await;
        use_reset_link(&app, &link).await.expect_status(204);
        root.get("/auth/me").await.expect_status(401);
    }

    async fn administrator_cannot_reset_own_credentials(app: TestApp) {
        let (root, _) = two_administrators(&app).await;
        let own = "This action is for other accounts. Change your own password and second factors on your account page.";
        root.post("/api/users/root/reset", Value::Null).await.expect_status(409).expect_detail(own);
        root.post("/api/users/ROOT/reset", Value::Null).await.expect_status(409).expect_detail(own);
        root.post("/api/users/root/recover", json!({"reason": "I forgot it all"})).await.expect_status(409).expect_detail(own);
        let page = root.send(root.get_request("/admin/users/root").header("accept", "text/html")).await.expect_status(200).text;
        assert!(!page.contains("data-action=\"reset\"") && !page.contains("data-action=\"recover\""), "{page}");
        let page = root.send(root.get_request("/admin/users/mallory").header("accept", "text/html")).await.expect_status(200).text;
        assert!(page.contains("data-action=\"reset\""), "{page}");
    }

    async fn ending_sessions_withdraws_the_accounts_invitations(app: TestApp) {
        let (root, mallory) = two_administrators(&app).await;
        let by_mallory = mallory.invite_administrator().await;
        let stolen = root.invite_administrator().await;
        root.post("/auth/sessions/end-others", Value::Null).await.expect_status(200);
        register_with_invitation(&app, "eve", &stolen).await.expect_status(403);
        assert_eq!(root.get("/auth/invites").await.expect_status(200).body.as_array().unwrap().len(), 1, "mallory's is still there");
        let entries = root.get("/api/audit?action=invite.withdrawn").await.expect_status(200);
        assert_eq!((&entries.body[0]["actor"], &entries.body[0]["reason"]), (&json!("root"), &json!("ended_by_owner")), "{}", entries.text);
        // Disabled and enabled again.
        root.change_account("mallory", json!({"disabled": true})).await.expect_status(200);
        root.change_account("mallory", json!({"disabled": false})).await.expect_status(200);
        register_with_invitation(&app, "eve", &by_mallory).await.expect_status(403);
        let everybodys = app.sign_in("mallory").await.invite_administrator().await;
        root.post("/api/sessions/end-all", json!({"reason": "a laptop is gone"})).await.expect_status(200);
        register_with_invitation(&app, "eve", &everybodys).await.expect_status(403);
        // A password change ends them too, if it ends all sessions. A factor change does not.
        let root = app.sign_in("root").await;
        let kept = root.invite_administrator().await;
        crate::totp::enroll_totp(&app, &root).await;
        register_with_invitation(&app, "ben", &kept).await.expect_status(201);
    }

    async fn personal_admin_token_gains_no_power_over_administrators(app: TestApp) {
        let root = app.administrator("root").await;
        let eve = app.editor("eve").await;
        let from_editor = personal_tokens::token_client(&eve, json!(["admin", "files:read"]), Value::Null).await;
        root.send(root.put_request("/api/vaults/main/members/eve").json(&json!({"role": "manager"}))).await.expect_status(204);
        let token = personal_tokens::token_client(&eve, json!(["admin", "files:read"]), Value::Null).await;
        let reader = personal_tokens::token_client(&eve, json!(["files:read"]), Value::Null).await;
        token.get("/api/users").await.expect_status(403);
        root.change_account("eve", json!({"is_admin": true})).await.expect_status(200);
        token.get("/api/users").await.expect_status(401);
        // An editor's token never had the scope, so it goes on without it.
        from_editor.get("/api/files").await.expect_status(200);
        from_editor.get("/api/users").await.expect_status(403);
        reader.get("/api/files").await.expect_status(200);
        let entries = root.get("/api/audit?action=account.changed").await.expect_status(200);
        assert_eq!(entries.body[0]["facts"]["tokens_ended"], 1, "{}", entries.text);
        let eve = app.sign_in("eve").await;
        let token = personal_tokens::token_client(&eve, json!(["admin"]), Value::Null).await;
        token.get("/api/users").await.expect_status(200);
        for topples in [json!({"is_admin": false}), json!({"disabled": true}), json!({"reset_required": true})] {
            token.change_account("root", topples).await.expect_status(403);
        }
        token.send(token.delete_request("/api/users/root")).await.expect_status(403);
        token.change_account("root", json!({"display_name": "Root"})).await.expect_status(200);
        app.editor("ada").await;
        token.change_account("ada", json!({"disabled": true})).await.expect_status(200);
        root.get("/auth/me").await.expect_status(200);
    }

    async fn invitation_error_does_not_reveal_vault_existence(app: TestApp) {
        let root = app.administrator("root").await;
        root.post("/api/vaults", json!({"name": "secret-project"})).await.expect_status(201);
        let eve = app.editor("eve").await;
        for role in ["xx", "viewer"] {
            let ask = async |vault: &str| {
                let answer = eve.post("/auth/invites", json!({"roles": {vault: role}})).await;
                (answer.status(), answer.body["detail"].clone())
            };
            assert_eq!(ask("secret-project").await, ask("no-such-vault").await, "{role}");
        }
    }
}
