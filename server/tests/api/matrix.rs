//! Every operation × every kind of caller, as a readable table.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, file_url};

/// The number of callers without personal tokens.
const CALLERS: usize = 7;

/// Calls every operation of the API document as each kind of caller. The test fails if an operation
/// is not in the snapshot or responds differently. Every operation is in the document, because its
/// route is added together with it.
#[tokio::test(flavor = "multi_thread")]
async fn role_action_matrix_matches_its_snapshot() {
    let app = TestApp::sqlite().await;
    let root = app.administrator("root").await;
    root.post("/api/vaults", json!({"name": "attic"}))
        .await
        .expect_status(201);
    let mut callers = callers(&app, &root).await;
    let document = app
        .anonymous()
        .get("/openapi.json")
        .await
        .expect_status(200)
        .body;
    let mut table = format!("{:<58}", "");
    for (name, _) in &callers {
        write!(table, "{name:>10}").unwrap();
    }
    table.push('\n');
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let title = format!("{} {path}", method.to_uppercase());
            write!(table, "{title:<58}").unwrap();
            let ends = ["/auth/logout", "/auth/sessions/end-others"].contains(&path.as_str());
            for n in 0..callers.len() {
                root.add(&format!("m{n}.nc"), b"x")
                    .await
                    .expect_status_in(&[201, 409]);
                let caller = &callers[n].1;
                // Operations that end sessions use their own session.
                let caller = if n >= CALLERS && ends {
                    &with_personal_tokens(&callers).await.remove(n - CALLERS).1
                } else if path == "/auth/logout"
                    && n > 1
                    && n < CALLERS
                    && caller.username != "disabled"
                {
                    &app.sign_in(&caller.username).await
                } else {
                    caller
                };
                let status = call_status(caller, method, path, operation, n).await;
                write!(table, "{status:>10}").unwrap();
            }
            table.push('\n');
            if ends {
                callers.truncate(CALLERS);
                callers.extend(with_personal_tokens(&callers).await);
            }
        }
    }
    insta::assert_snapshot!("matrix", table);
}

async fn callers(app: &TestApp, root: &Client) -> Vec<(&'static str, Client)> {
    let forged = Client {
        token: Some("eyJhbGciOiJub25lIn0.e30.".to_owned()),
        ..app.anonymous()
    };
    let mut callers = vec![("nobody", app.anonymous()), ("forged", forged)];
    for role in ["viewer", "editor", "manager"] {
        let client = app.editor(&format!("a-{role}")).await;
        let path = format!("/api/vaults/main/members/a-{role}");
        root.send(root.put_request(&path).json(&json!({"role": role})))
            .await
            .expect_status(204);
        callers.push((role, client));
    }
    let disabled = app.editor("disabled").await;
    root.send(
        root.request_builder(reqwest::Method::PATCH, "/api/users/disabled")
            .json(&json!({"disabled": true})),
    )
    .await
    .expect_status(200);
    callers.push(("disabled", disabled));
    callers.push(("admin", app.administrator("admin").await));
    callers.extend(with_personal_tokens(&callers).await);
    callers
}

/// Personal tokens of the manager and of the administrator.
async fn with_personal_tokens(callers: &[(&'static str, Client)]) -> Vec<(&'static str, Client)> {
    let owner = |name: &str| {
        callers
            .iter()
            .find(|(found, _)| *found == name)
            .unwrap()
            .1
            .clone()
    };
    let mut made = Vec::new();
    for (title, owner, scopes, vaults) in [
        (
            "pat:read",
            owner("manager"),
            json!(["files:read"]),
            Value::Null,
        ),
        (
            "pat:write",
            owner("manager"),
            json!(["files:read", "files:write"]),
            Value::Null,
        ),
        ("pat:admin", owner("admin"), json!(["admin"]), Value::Null),
        (
            "pat:attic",
            owner("admin"),
            json!(["files:read", "files:write", "locks:override", "admin"]),
            json!(["attic"]),
        ),
    ] {
        made.push((
            title,
            crate::personal_tokens::token_client(&owner, scopes, vaults).await,
        ));
    }
    made
}

/// A valid request, so that 401, 403 and 404 come only from the door.
async fn call_status(
    caller: &Client,
    method: &str,
    path: &str,
    operation: &Value,
    n: usize,
) -> u16 {
    let filled = path
        .replace("{vault}", "main")
        .replace("{filename}", &format!("m{n}.nc"))
        .replace("{username}", "nobody-known")
        .replace("{id}", "none")
        .replace("{group}", "no-such-group");
    let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut request = caller.request_builder(method, &filled);
    if operation["requestBody"]["content"]["application/json"].is_object() {
        request = request.json(&request_body(path));
    }
    // The body is not read, because a stream has no end.
    request.send().await.unwrap().status().as_u16()
}

fn request_body(path: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "checkout" => json!({}),
        "override" => json!({"reason": "r"}),
        "move" => json!({"to": ".."}),
        "restore" => json!({"revision": 999}),
        "{filename}" => json!({"description": "d"}),
        "password" => {
            json!({"current_password": "not the right one", "new_password": "a quite long password"})
        }
        "register" => json!({"username": "!", "password": "x"}),
        "vaults" | "groups" => json!({"name": "!"}),
        "tokens" => json!({"name": "", "scopes": []}),
        "confirm" => json!({"token": "!"}),
        "invites" => json!({"roles": {"main": "viewer"}}),
        "preview" => json!({"invite": "!"}),
        _ if path.ends_with("members/{username}") || path.ends_with("groups/{group}") => {
            json!({"role": "viewer"})
        }
        _ => json!({}),
    }
}

#[test]
fn main_vault_file_has_a_short_path() {
    assert_eq!(file_url("a/b", ""), "/api/files/a%2Fb");
}
