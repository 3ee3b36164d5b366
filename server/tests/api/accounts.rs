//! Registration, sign-in and rights.

use serde_json::json;

use crate::{
    app::{PASSWORD, TestApp},
    both,
    personal_tokens::token_client,
};

both! {
    async fn api_registered_account_is_editor_of_main(app: TestApp) {
        let ada = app.editor("Ada").await;
        let me = ada.get("/auth/me").await.expect_status(200).body;
        assert_eq!(me["username"], "ada");
        assert_eq!(me["is_admin"], false);
        let again = json!({"username": "ADA", "password": PASSWORD});
        app.anonymous().post("/auth/register", again).await.expect_status(409).expect_detail("Username already registered");
        let vaults = ada.get("/api/vaults").await.expect_status(200).body;
        assert_eq!(vaults, json!([{"name": "main", "role": "editor"}]));
    }

    async fn registration_and_editor_cannot_grant_administrator(app: TestApp) {
        let body = json!({"username": "eve", "password": PASSWORD, "is_admin": true});
        app.anonymous().post("/auth/register", body).await.expect_status(422);
        let eve = app.editor("eve").await;
        eve.send(eve.request_builder(reqwest::Method::PATCH, "/api/users/eve").json(&json!({"is_admin": true}))).await.expect_status(403);
        assert_eq!(eve.get("/auth/me").await.expect_status(200).body["is_admin"], false);
    }

    async fn registration_with_weak_password_names_the_problem(app: TestApp) {
        for (password, word) in [("short", "15"), ("adaadaadaadaadaada", "username"), ("strongroomstrongroom", "Strongroom")] {
            let answer = app.anonymous().post("/auth/register", json!({"username": "ada", "password": password})).await.expect_status(422);
            assert_eq!(answer.body["errors"][0]["pointer"], "/password");
            assert!(answer.body["detail"].as_str().unwrap().contains(word), "{}", answer.text);
        }
        let emoji = "🦀🐧🦊🐙🦉🐝🦋🐢🦈🐳🐿🦔🐌🦜🐞";
        app.anonymous().post("/auth/register", json!({"username": "ada", "password": emoji})).await.expect_status(201);
    }

    async fn failed_password_grants_are_indistinguishable(app: TestApp) {
        let (_, root) = (app.editor("ada").await, app.administrator("root").await);
        app.editor("gone").await;
        root.send(root.request_builder(reqwest::Method::PATCH, "/api/users/gone").json(&json!({"disabled": true}))).await.expect_status(200);
        let mut answers = Vec::new();
        for (name, password) in [("ada", "wrong wrong wrong"), ("nobody", PASSWORD), ("gone", PASSWORD), ("no such name!", PASSWORD)] {
            let form = [("username", name), ("password", password), ("grant_type", "password")];
            let anonymous = app.anonymous();
            let mut answer = anonymous.send(anonymous.post_request("/auth/token").form(&form)).await.expect_status(401)
                .expect_detail("Incorrect username or password");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            answer.body["request_id"].take();
            answers.push(answer.body);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        assert_eq!(answers[0]["error"], "invalid_grant");
    }

    async fn disabled_account_is_rejected_by_api_immediately(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        let change = |disabled: bool| root.request_builder(reqwest::Method::PATCH, "/api/users/ada").json(&json!({"disabled": disabled}));
        root.send(change(true)).await.expect_status(200);
        ada.get("/auth/me").await.expect_status(401).expect_detail("Could not validate credentials");
        refresh_token(&ada, &ada.refresh).await.expect_status(400);
        root.send(change(false)).await.expect_status(200);
        ada.get("/auth/me").await.expect_status(401);
        app.sign_in("ada").await.get("/auth/me").await.expect_status(200);
    }

    async fn changed_role_applies_to_api_immediately(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        ada.add("a.nc", b"one").await.expect_status(201);
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "viewer"}))).await.expect_status(204);
        ada.check_out("a.nc").await.expect_status(403);
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "manager"}))).await.expect_status(204);
        ada.check_out("a.nc").await.expect_status(200);
        root.send(root.put_request("/api/vaults/main/members/nobody").json(&json!({"role": "viewer"}))).await.expect_status(404);
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "king"}))).await.expect_status(422);
    }

    async fn api_protects_the_last_administrator(app: TestApp) {
        let root = app.administrator("root").await;
        let patch = |name: &str, body: serde_json::Value| root.request_builder(reqwest::Method::PATCH, &format!("/api/users/{name}")).json(&body);
        root.send(patch("root", json!({"is_admin": false}))).await.expect_status(409);
        root.send(patch("root", json!({"disabled": true}))).await.expect_status(409);
        root.send(root.delete_request("/api/users/root")).await.expect_status(409);
        app.editor("ada").await;
        root.send(patch("ada", json!({"is_admin": true}))).await.expect_status(200);
        root.send(patch("root", json!({"is_admin": false}))).await.expect_status(200);
        root.get("/api/users").await.expect_status(403);
    }

    async fn deleted_username_cannot_register_again(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        root.send(root.delete_request("/api/users/ada")).await.expect_status(204);
        ada.get("/auth/me").await.expect_status(401);
        root.get("/api/users/ada").await.expect_status(404);
        app.anonymous().post("/auth/register", json!({"username": "ada", "password": PASSWORD})).await.expect_status(409);
    }

    async fn api_password_change_ends_the_other_session(app: TestApp) {
        let here = app.editor("ada").await;
        let others = [app.sign_in("ada").await, app.sign_in("ada").await];
        let personal = token_client(&here, json!(["files:read"]), serde_json::Value::Null).await;
        personal.get("/auth/me").await.expect_status(200);
        let change = |current: &str, new: &str| here.put_request("/auth/me/password").json(&json!({"current_password": current, "new_password": new}));
        here.send(change("not the password!", "another long password")).await.expect_status(403);
        here.send(change(PASSWORD, "short")).await.expect_status(422);
        here.send(change(PASSWORD, "another long password")).await.expect_status(204);
        here.get("/auth/me").await.expect_status(200);
        for there in &others {
            there.get("/auth/me").await.expect_status(401);
            refresh_token(there, &there.refresh).await.expect_status(400);
        }
        personal.get("/auth/me").await.expect_status(401);
        let form = [("username", "ada"), ("password", PASSWORD)];
        here.send(app.anonymous().post_request("/auth/token").form(&form)).await.expect_status(401);
    }

    async fn api_lists_and_ends_own_sessions(app: TestApp) {
        let here = app.editor("ada").await;
        let there = app.sign_in("ada").await;
        let bob = app.editor("bob").await;
        let list = here.get("/auth/sessions").await.expect_status(200).body;
        let other = list.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
        let path = format!("/auth/sessions/{}", other["id"].as_str().unwrap());
        bob.send(bob.delete_request(&path)).await.expect_status(404);
        there.get("/auth/me").await.expect_status(200);
        here.send(here.delete_request(&path)).await.expect_status(204);
        there.get("/auth/me").await.expect_status(401);
        here.send(here.delete_request(&path)).await.expect_status(404);
        let others = [app.sign_in("ada").await, app.sign_in("ada").await];
        assert_eq!(here.post("/auth/sessions/end-others", serde_json::Value::Null).await.expect_status(200).body["ended"], 2);
        for there in others {
            there.get("/auth/me").await.expect_status(401);
            refresh_token(&there, &there.refresh).await.expect_status(400);
        }
        here.get("/auth/me").await.expect_status(200);
    }

    async fn user_list_can_be_searched_and_paged(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        let users = root.get("/api/users?q=AD").await.expect_status(200).body;
        assert_eq!(users.as_array().unwrap().len(), 1);
        assert_eq!(users[0]["roles"], json!({"main": "editor"}));
        let page = root.get("/api/users?limit=1").await.expect_status(200);
        assert!(page.header("link").unwrap().contains("after=ada"));
    }
}

/// The same session with an access token of reduced scope (RFC 6749 §6).
pub(crate) async fn with_scope(client: &crate::app::Client, scope: &str) -> crate::app::Client {
    let anonymous = crate::app::Client {
        token: None,
        ..client.clone()
    };
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &client.refresh),
        ("scope", scope),
    ];
    let tokens = anonymous
        .send(anonymous.post_request("/auth/token").form(&form))
        .await
        .expect_status(200)
        .body;
    crate::app::Client {
        token: tokens["access_token"].as_str().map(str::to_owned),
        ..anonymous
    }
}

pub(crate) async fn refresh_token(
    client: &crate::app::Client,
    token: &str,
) -> crate::app::TestResponse {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let anonymous = crate::app::Client {
        token: None,
        ..client.clone()
    };
    anonymous
        .send(anonymous.post_request("/auth/token").form(&form))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn printed_setup_link_creates_one_administrator() {
    let app = TestApp::sqlite().await;
    let link = app.running.setup_link.clone().unwrap();
    let token = link.split_once('#').unwrap().1.to_owned();
    let make = |token: &str, name: &str| {
        let form = [("token", token), ("username", name), ("password", PASSWORD)]
            .map(|(k, v)| (k, v.to_owned()));
        app.anonymous()
            .post_request("/first")
            .header("sec-fetch-site", "same-origin")
            .form(&form)
            .send()
    };
    assert_eq!(make("sr_first_forged", "eve").await.unwrap().status(), 403);
    assert_eq!(make(&token, "root").await.unwrap().status(), 303);
    assert_eq!(make(&token, "eve").await.unwrap().status(), 403);
    assert_eq!(
        app.sign_in("root")
            .await
            .get("/auth/me")
            .await
            .expect_status(200)
            .body["is_admin"],
        true
    );
    assert!(app.restart().await.running.setup_link.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_or_invite_only_registration_returns_403() {
    use server::{
        ConfigSource,
        config::{RegistrationMode, RegistrationSection},
    };
    for mode in [RegistrationMode::Closed, RegistrationMode::Invite] {
        let registration = RegistrationSection {
            mode: Some(mode),
            role: None,
        };
        let app = TestApp::with_settings(ConfigSource {
            registration,
            ..ConfigSource::default()
        })
        .await;
        app.anonymous()
            .post(
                "/auth/register",
                json!({"username": "ada", "password": PASSWORD}),
            )
            .await
            .expect_status(403);
    }
}
