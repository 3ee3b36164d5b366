//! Registration, sign-in and rights.

use serde_json::json;

use crate::{
    app::{PASSWORD, TestApp},
    both,
};

both! {
    async fn api_registered_account_is_editor_of_main(app: TestApp) {
        let ada = app.editor("Ada").await;
        let me = ada.see("/auth/me").await.is(200).body;
        assert_eq!(me["username"], "ada");
        assert_eq!(me["is_admin"], false);
        let again = json!({"username": "ADA", "password": PASSWORD});
        app.anonymous().tell("/auth/register", again).await.is(409).says("Username already registered");
        let vaults = ada.see("/api/vaults").await.is(200).body;
        assert_eq!(vaults, json!([{"name": "main", "role": "editor"}]));
    }

    async fn registration_and_editor_cannot_grant_administrator(app: TestApp) {
        let body = json!({"username": "eve", "password": PASSWORD, "is_admin": true});
        app.anonymous().tell("/auth/register", body).await.is(422);
        let eve = app.editor("eve").await;
        eve.ask(eve.request(reqwest::Method::PATCH, "/api/users/eve").json(&json!({"is_admin": true}))).await.is(403);
        assert_eq!(eve.see("/auth/me").await.body["is_admin"], false);
    }

    async fn registration_with_weak_password_names_the_problem(app: TestApp) {
        for (password, word) in [("short", "15"), ("adaadaadaadaadaada", "username"), ("strongroomstrongroom", "Strongroom")] {
            let answer = app.anonymous().tell("/auth/register", json!({"username": "ada", "password": password})).await.is(422);
            assert_eq!(answer.body["errors"][0]["pointer"], "/password");
            assert!(answer.body["detail"].as_str().unwrap().contains(word), "{}", answer.text);
        }
        let emoji = "🦀🐧🦊🐙🦉🐝🦋🐢🦈🐳🐿🦔🐌🦜🐞";
        app.anonymous().tell("/auth/register", json!({"username": "ada", "password": emoji})).await.is(201);
    }

    async fn failed_password_grants_are_indistinguishable(app: TestApp) {
        let (_, root) = (app.editor("ada").await, app.administrator("root").await);
        app.editor("gone").await;
        root.ask(root.request(reqwest::Method::PATCH, "/api/users/gone").json(&json!({"disabled": true}))).await.is(200);
        let mut answers = Vec::new();
        for (name, password) in [("ada", "wrong wrong wrong"), ("nobody", PASSWORD), ("gone", PASSWORD), ("no such name!", PASSWORD)] {
            let form = [("username", name), ("password", password), ("grant_type", "password")];
            let anonymous = app.anonymous();
            let mut answer = anonymous.ask(anonymous.post("/auth/token").form(&form)).await.is(401)
                .says("Incorrect username or password");
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
        let change = |disabled: bool| root.request(reqwest::Method::PATCH, "/api/users/ada").json(&json!({"disabled": disabled}));
        root.ask(change(true)).await.is(200);
        ada.see("/auth/me").await.is(401).says("Could not validate credentials");
        refresh_token(&ada, &ada.refresh).await.is(400);
        root.ask(change(false)).await.is(200);
        ada.see("/auth/me").await.is(401);
        app.sign_in("ada").await.see("/auth/me").await.is(200);
    }

    async fn changed_role_applies_to_api_immediately(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        ada.add("a.nc", b"one").await.is(201);
        root.ask(root.put("/api/vaults/main/members/ada").json(&json!({"role": "viewer"}))).await.is(204);
        ada.check_out("a.nc").await.is(403);
        root.ask(root.put("/api/vaults/main/members/ada").json(&json!({"role": "manager"}))).await.is(204);
        ada.check_out("a.nc").await.is(200);
        root.ask(root.put("/api/vaults/main/members/nobody").json(&json!({"role": "viewer"}))).await.is(404);
        root.ask(root.put("/api/vaults/main/members/ada").json(&json!({"role": "king"}))).await.is(422);
    }

    async fn api_protects_the_last_administrator(app: TestApp) {
        let root = app.administrator("root").await;
        let patch = |name: &str, body: serde_json::Value| root.request(reqwest::Method::PATCH, &format!("/api/users/{name}")).json(&body);
        root.ask(patch("root", json!({"is_admin": false}))).await.is(409);
        root.ask(patch("root", json!({"disabled": true}))).await.is(409);
        root.ask(root.delete("/api/users/root")).await.is(409);
        app.editor("ada").await;
        root.ask(patch("ada", json!({"is_admin": true}))).await.is(200);
        root.ask(patch("root", json!({"is_admin": false}))).await.is(200);
        root.see("/api/users").await.is(403);
    }

    async fn deleted_username_cannot_register_again(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        root.ask(root.delete("/api/users/ada")).await.is(204);
        ada.see("/auth/me").await.is(401);
        root.see("/api/users/ada").await.is(404);
        app.anonymous().tell("/auth/register", json!({"username": "ada", "password": PASSWORD})).await.is(409);
    }

    async fn api_password_change_ends_the_other_session(app: TestApp) {
        let here = app.editor("ada").await;
        let there = app.sign_in("ada").await;
        let change = |current: &str, new: &str| here.put("/auth/me/password").json(&json!({"current_password": current, "new_password": new}));
        here.ask(change("not the password!", "another long password")).await.is(403);
        here.ask(change(PASSWORD, "short")).await.is(422);
        here.ask(change(PASSWORD, "another long password")).await.is(204);
        here.see("/auth/me").await.is(200);
        there.see("/auth/me").await.is(401);
        refresh_token(&there, &there.refresh).await.is(400);
        let form = [("username", "ada"), ("password", PASSWORD)];
        here.ask(app.anonymous().post("/auth/token").form(&form)).await.is(401);
    }

    async fn api_lists_and_ends_own_sessions(app: TestApp) {
        let here = app.editor("ada").await;
        let there = app.sign_in("ada").await;
        let bob = app.editor("bob").await;
        let list = here.see("/auth/sessions").await.is(200).body;
        let other = list.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
        let path = format!("/auth/sessions/{}", other["id"].as_str().unwrap());
        bob.ask(bob.delete(&path)).await.is(404);
        there.see("/auth/me").await.is(200);
        here.ask(here.delete(&path)).await.is(204);
        there.see("/auth/me").await.is(401);
        here.ask(here.delete(&path)).await.is(404);
        app.sign_in("ada").await;
        assert_eq!(here.tell("/auth/sessions/end-others", serde_json::Value::Null).await.is(200).body["ended"], 1);
    }

    async fn user_list_can_be_searched_and_paged(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        let users = root.see("/api/users?q=AD").await.is(200).body;
        assert_eq!(users.as_array().unwrap().len(), 1);
        assert_eq!(users[0]["roles"], json!({"main": "editor"}));
        let page = root.see("/api/users?limit=1").await.is(200);
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
        .ask(anonymous.post("/auth/token").form(&form))
        .await
        .is(200)
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
        .ask(anonymous.post("/auth/token").form(&form))
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
            .post("/first")
            .header("sec-fetch-site", "same-origin")
            .form(&form)
            .send()
    };
    assert_eq!(make("sr_first_forged", "eve").await.unwrap().status(), 403);
    assert_eq!(make(&token, "root").await.unwrap().status(), 303);
    assert_eq!(make(&token, "eve").await.unwrap().status(), 403);
    assert_eq!(
        app.sign_in("root").await.see("/auth/me").await.body["is_admin"],
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
        let app = TestApp::with(ConfigSource {
            registration,
            ..ConfigSource::default()
        })
        .await;
        app.anonymous()
            .tell(
                "/auth/register",
                json!({"username": "ada", "password": PASSWORD}),
            )
            .await
            .is(403);
    }
}
