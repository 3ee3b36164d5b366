//! Personal access tokens: what they can access, what they cannot, and what revokes them.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    accounts::with_scope,
    app::{Client, PASSWORD, TestApp, TestResponse, file_url},
    both,
};

const ALL_SCOPES: [&str; 4] = ["files:read", "files:write", "locks:override", "admin"];

/// Creates a token; `vaults` may be null.
pub(crate) async fn create_token(owner: &Client, scopes: Value, vaults: Value) -> TestResponse {
    owner
        .post(
            "/auth/tokens",
            json!({"name": "a script", "scopes": scopes, "vaults": vaults}),
        )
        .await
}

/// A script that authenticates with a Bearer token.
pub(crate) async fn token_client(owner: &Client, scopes: Value, vaults: Value) -> Client {
    let made = create_token(owner, scopes, vaults).await.expect_status(201);
    Client {
        token: Some(made.body["token"].as_str().unwrap().to_owned()),
        ..owner.clone()
    }
}

fn basic_auth_request(client: &Client, method: Method, path: &str, name: &str) -> RequestBuilder {
    client
        .http
        .request(method, format!("{}{path}", client.base))
        .basic_auth(name, client.token.as_deref())
}

both! {
    async fn personal_token_is_shown_once_and_scope_limited(app: TestApp) {
        let ada = app.editor("ada").await;
        let made = create_token(&ada, json!(["files:write", "files:read"]), Value::Null).await.expect_status(201);
        let secret = made.body["token"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("sr_pat_") && secret.len() == 54, "{secret}");
        assert_eq!(made.body["scopes"], json!(["files:read", "files:write"]));
        assert_eq!(made.header("cache-control"), Some("no-store"));
        let listed = ada.get("/auth/tokens").await.expect_status(200);
        assert!(!listed.text.contains(&secret) && listed.body[0]["id"] == made.body["id"]);
        assert_eq!((&listed.body[0]["last_used_at"], &listed.body[0]["vaults"]), (&Value::Null, &Value::Null));
        let script = Client { token: Some(secret), ..ada.clone() };
        script.add("a.nc", b"x").await.expect_status(201);
        script.check_out("a.nc").await.expect_status(200);
        assert_eq!(script.get("/auth/me").await.expect_status(200).body["scopes"], json!(["files:read", "files:write"]));
        // A token is not a sign-in session.
        assert_eq!(ada.get("/auth/sessions").await.expect_status(200).body.as_array().unwrap().len(), 1);
    }

    async fn basic_authentication_keeps_the_token_scope(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("a.nc", b"x").await.expect_status(201);
        let reader = token_client(&ada, json!(["files:read"]), Value::Null).await;
        for name in ["ada", "ADA", "Ada"] {
            reader.send(basic_auth_request(&reader, Method::GET, "/api/files", name)).await.expect_status(200);
            let refused = reader.send(basic_auth_request(&reader, Method::POST, &file_url("a.nc", "/checkout"), name)).await.expect_status(403);
            assert_eq!(refused.header("www-authenticate"), Some("Bearer error=\"insufficient_scope\", scope=\"files:write\""));
            assert_eq!(refused.body["error"], "insufficient_scope");
        }
        assert_eq!(reader.send(basic_auth_request(&reader, Method::GET, "/auth/me", "ada")).await.expect_status(200).body["scopes"], json!(["files:read"]));
        for path in ["/auth/sessions", "/auth/tokens"] {
            reader.send(basic_auth_request(&reader, Method::GET, path, "ada")).await.expect_status(403);
        }
    }

    async fn basic_authentication_requires_owner_and_personal_token(app: TestApp) {
        let ada = app.editor("ada").await;
        app.editor("bob").await;
        let script = token_client(&ada, json!(["files:read"]), Value::Null).await;
        let jwt = Client { token: ada.token.clone(), ..script.clone() };
        let password = Client { token: Some(PASSWORD.to_owned()), ..script.clone() };
        for (client, name) in [(&script, "bob"), (&script, ""), (&script, "a da"), (&jwt, "ada"), (&password, "ada")] {
            let refused = client.send(basic_auth_request(client, Method::GET, "/api/files", name)).await.expect_status(401);
            let challenges: Vec<_> = refused.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(challenges, ["Bearer error=\"invalid_token\"", "Basic realm=\"Strongroom\", charset=\"UTF-8\""], "{name:?}");
        }
        let bearer = Client { token: Some("sr_pat_x".to_owned()), ..script.clone() }.get("/api/files").await.expect_status(401);
        assert_eq!(bearer.headers.get_all("www-authenticate").iter().count(), 2);
        // Exactly one credential per request.
        let two = basic_auth_request(&script, Method::GET, "/api/files", "ada").header("cookie", "strongroom=sr_ws_x");
        script.send(two).await.expect_status(400);
    }

    async fn cross_site_write_with_basic_authentication_is_forbidden(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("a.nc", b"x").await.expect_status(201);
        let script = token_client(&ada, json!(["files:read", "files:write"]), Value::Null).await;
        let check_out = || basic_auth_request(&script, Method::POST, &file_url("a.nc", "/checkout"), "ada");
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
            script.send(check_out().header(name, value)).await.expect_status(403);
        }
        script.send(check_out()).await.expect_status(200);
    }

    async fn personal_token_cannot_manage_tokens_or_account(app: TestApp) {
        let root = app.administrator("root").await;
        let script = token_client(&root, json!(ALL_SCOPES), Value::Null).await;
        let other = create_token(&root, json!(["files:read"]), Value::Null).await.expect_status(201);
        let id = other.body["id"].as_str().unwrap();
        for (method, path, body) in [
            (Method::POST, "/auth/tokens".to_owned(), json!({"name": "more", "scopes": ["files:read"]})),
            (Method::GET, "/auth/tokens".to_owned(), Value::Null),
            (Method::DELETE, format!("/auth/tokens/{id}"), Value::Null),
            (Method::GET, "/auth/sessions".to_owned(), Value::Null),
            (Method::POST, "/auth/sessions/end-others".to_owned(), Value::Null),
            (Method::DELETE, format!("/auth/sessions/{id}"), Value::Null),
            (Method::PUT, "/auth/me/password".to_owned(), json!({"current_password": PASSWORD, "new_password": "another long password"})),
            (Method::GET, "/account".to_owned(), Value::Null),
            (Method::GET, "/account/tokens".to_owned(), Value::Null),
        ] {
            let refused = script.send(script.request_builder(method.clone(), &path).json(&body)).await;
            assert_eq!(refused.status(), 403, "{method} {path}: {}", refused.text);
        }
        // It is not a refresh token.
        let form = [("grant_type", "refresh_token"), ("refresh_token", script.token.as_deref().unwrap())];
        script.send(app.anonymous().post_request("/auth/token").form(&form)).await.expect_status(400);
        // It opens event streams and can be revoked.
        script.post("/auth/ws-ticket", Value::Null).await.expect_status(200);
        script.post("/auth/logout", Value::Null).await.expect_status(204);
        script.get("/api/files").await.expect_status(401);
        root.get("/api/files").await.expect_status(200);
    }

    async fn admin_token_cannot_grant_access(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("eve").await;
        let (script, program) = (token_client(&root, json!(ALL_SCOPES), Value::Null).await, with_scope(&root, "admin").await);
        for caller in [&script, &program] {
            let change = async |change: Value| caller.send(caller.request_builder(Method::PATCH, "/api/users/eve").json(&change)).await;
            for refused in [
                json!({"is_admin": true}), json!({"email": "eve@evil.example"}), json!({"disabled": false}),
                json!({"reset_required": false}), json!({"display_name": "Eve", "is_admin": true}),
            ] {
                change(refused.clone()).await.expect_status(403).expect_detail("This action requires a browser session. A token is not accepted.");
            }
            for username in ["root", "eve"] {
                caller.post(&format!("/api/users/{username}/reset"), Value::Null).await.expect_status(403);
                caller.post(&format!("/api/users/{username}/recover"), json!({"reason": "lost"})).await.expect_status(403);
            }
            caller.post("/auth/invites", json!({"roles": {"main": "viewer"}})).await.expect_status(403);
            caller.send(caller.delete_request("/api/throttle/accounts/eve")).await.expect_status(403);
            caller.get("/api/users").await.expect_status(200);
            change(json!({"display_name": "Eve"})).await.expect_status(200);
            caller.send(caller.put_request("/api/vaults/main/members/eve").json(&json!({"role": "viewer"}))).await.expect_status(204);
            change(json!({"reset_required": true})).await.expect_status(200);
            caller.post("/api/users/eve/end-sessions", Value::Null).await.expect_status(200);
            change(json!({"disabled": true})).await.expect_status(200);
        }
        let eve = root.get("/api/users/eve").await.expect_status(200).body;
        assert_eq!((&eve["is_admin"], &eve["disabled"], &eve["email"]), (&json!(false), &json!(true), &Value::Null));
    }

    async fn metrics_require_an_admin_token(app: TestApp) {
        let root = app.administrator("root").await;
        let metrics = async |caller: &Client| caller.send(caller.get_request("/metrics").header("x-forwarded-for", "192.0.2.1")).await.status();
        for (scopes, vaults, status) in [
            (json!(["files:read"]), Value::Null, 403), (json!(["files:read"]), json!(["main"]), 403), (json!(["admin"]), Value::Null, 200),
        ] {
            assert_eq!(metrics(&token_client(&root, scopes.clone(), vaults).await).await, status, "{scopes}");
        }
        assert_eq!((metrics(&root).await, metrics(&app.editor("ada").await).await), (200, 403));
    }

    async fn personal_token_is_limited_by_owners_current_role(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        ada.add("a.nc", b"x").await.expect_status(201);
        root.check_out("a.nc").await.expect_status(200);
        let script = token_client(&ada, json!(ALL_SCOPES), Value::Null).await;
        script.post(&file_url("a.nc", "/override"), json!({"reason": "r"})).await.expect_status(403);
        script.get("/api/users").await.expect_status(403);
        script.add("b.nc", b"x").await.expect_status(201);
        // The present rights of the owner apply.
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "viewer"}))).await.expect_status(204);
        script.add("c.nc", b"x").await.expect_status(403);
        root.send(root.delete_request("/api/vaults/main/members/ada")).await.expect_status(204);
        script.get("/api/files").await.expect_status(404);
    }

    async fn personal_token_for_one_vault_cannot_access_another(app: TestApp) {
        let root = app.administrator("root").await;
        root.post("/api/vaults", json!({"name": "attic"})).await.expect_status(201);
        let script = token_client(&root, json!(ALL_SCOPES), json!(["attic", "attic"])).await;
        assert_eq!(script.get("/api/vaults").await.expect_status(200).body, json!([{"name": "attic", "role": "manager"}]));
        for path in ["/api/vaults/attic", "/api/vaults/attic/files?q=x", "/api/vaults/attic/changes", "/api/vaults/attic/members"] {
            script.get(path).await.expect_status(200);
        }
        for path in ["/api/vaults/main", "/api/files", "/api/files?q=x", "/api/changes", "/api/events", "/ws", "/ws?vault=main",
            "/api/events?vault=main", "/api/vaults/main/events", "/api/vaults/main/members", "/v/main"] {
            script.get(path).await.expect_status(404);
        }
        let ticket = script.post("/auth/ws-ticket", Value::Null).await.expect_status(200).body["ticket"].as_str().unwrap().to_owned();
        app.anonymous().get(&format!("/api/events?ticket={ticket}")).await.expect_status(404);
        // Operations on the installation are not part of one vault.
        script.get("/api/users").await.expect_status(403);
        script.post("/api/vaults", json!({"name": "cellar"})).await.expect_status(403);
        assert_eq!(root.get("/auth/tokens").await.expect_status(200).body[0]["vaults"], json!(["attic"]));
    }

    async fn invalid_token_request_is_rejected_with_json_pointer(app: TestApp) {
        let ada = app.editor("ada").await;
        app.administrator("root").await.post("/api/vaults", json!({"name": "attic"})).await.expect_status(201);
        let good = json!({"name": "n", "scopes": ["files:read"]});
        for (member, value) in [
            ("name", json!("")), ("name", json!(" ")), ("name", json!("x".repeat(65))), ("name", json!("a\u{1b}[2J")),
            ("scopes", json!([])), ("scopes", json!(["account"])), ("scopes", json!(["files:read", "account"])),
            ("scopes", json!(["everything"])), ("vaults", json!([])), ("vaults", json!(["attic"])), ("vaults", json!(["nowhere"])),
            ("vaults", json!(["../main"])), ("expires_in_days", json!(0)), ("expires_in_days", json!(366)),
            ("expires_in_days", json!(4_294_967_295_u32)), ("scopes", json!(["files:read account"])),
        ] {
            let mut body = good.clone();
            body[member] = value.clone();
            let refused = ada.post("/auth/tokens", body).await.expect_status(422);
            assert_eq!(refused.body["errors"][0]["pointer"], format!("/{member}"), "{value}");
        }
        for body in [json!({"name": "n"}), json!({"name": "n", "scopes": "files:read"}), json!({"name": "n", "scopes": ["files:read"], "never": true})] {
            ada.post("/auth/tokens", body).await.expect_status(422);
        }
        assert_eq!(ada.get("/auth/tokens").await.expect_status(200).body, json!([]));
    }

    async fn personal_token_expires_at_its_end_not_idle(app: TestApp) {
        let ada = app.editor("ada").await;
        let script = token_client(&ada, json!(["files:read"]), Value::Null).await;
        app.advance_clock(Duration::from_hours(89 * 24));
        script.get("/api/files").await.expect_status(200);
        app.advance_clock(Duration::from_hours(24));
        script.get("/api/files").await.expect_status(401);
        // Creation requires a recent sign-in.
        let ada = app.sign_in("ada").await;
        create_token(&ada, json!(["files:read"]), Value::Null).await.expect_status(201);
        app.advance_clock(Duration::from_mins(11));
        let late = create_token(&ada, json!(["files:read"]), Value::Null).await.expect_status(401);
        assert_eq!(late.body["error"], "insufficient_user_authentication");
        assert_eq!(ada.get("/auth/tokens").await.expect_status(200).body.as_array().unwrap().len(), 1);
    }

    async fn personal_token_ends_by_deletion_revocation_or_disabling(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        let reader = json!(["files:read"]);
        // By its own URL, and only by its owner.
        let made = create_token(&ada, reader.clone(), Value::Null).await.expect_status(201);
        let script = Client { token: made.body["token"].as_str().map(str::to_owned), ..ada.clone() };
        let path = format!("/auth/tokens/{}", made.body["id"].as_str().unwrap());
        root.send(root.delete_request(&path)).await.expect_status(404);
        script.get("/api/files").await.expect_status(200);
        assert!(ada.get("/auth/tokens").await.expect_status(200).body[0]["last_used_at"].is_string());
        ada.send(ada.delete_request(&path)).await.expect_status(204);
        ada.send(ada.delete_request(&path)).await.expect_status(404);
        script.get("/api/files").await.expect_status(401);
        // Revoked by RFC 7009.
        let script = token_client(&ada, reader.clone(), Value::Null).await;
        let shown = [("token", script.token.as_deref().unwrap())];
        let known = ada.send(ada.post_request("/auth/introspect").form(&shown)).await.expect_status(200);
        assert_eq!((&known.body["active"], &known.body["scope"], &known.body["sub"]), (&json!(true), &json!("files:read"), &json!("ada")));
        ada.send(app.anonymous().post_request("/auth/revoke").form(&shown)).await.expect_status(200);
        script.get("/api/files").await.expect_status(401);
        assert_eq!(ada.send(ada.post_request("/auth/introspect").form(&shown)).await.expect_status(200).body, json!({"active": false}));
        // Revoked by a password change.
        let script = token_client(&ada, reader.clone(), Value::Null).await;
        let change = json!({"current_password": PASSWORD, "new_password": "another long password"});
        ada.send(ada.put_request("/auth/me/password").json(&change)).await.expect_status(204);
        script.get("/api/files").await.expect_status(401);
        // Revoked by an administrator.
        let script = token_client(&ada, reader, Value::Null).await;
        script.get("/api/files").await.expect_status(200);
        root.send(root.request_builder(Method::PATCH, "/api/users/ada").json(&json!({"disabled": true}))).await.expect_status(200);
        script.get("/api/files").await.expect_status(401);
    }

    async fn session_id_is_not_accepted_as_token_id(app: TestApp) {
        let ada = app.editor("ada").await;
        let id = ada.get("/auth/sessions").await.expect_status(200).body[0]["id"].as_str().unwrap().to_owned();
        ada.send(ada.delete_request(&format!("/auth/tokens/{id}"))).await.expect_status(404).expect_detail("Token not found");
        ada.get("/auth/me").await.expect_status(200);
    }

    async fn introspecting_another_accounts_token_requires_admin_scope(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        let script = token_client(&root, json!(["files:read"]), Value::Null).await;
        let admin = token_client(&root, json!(["admin"]), Value::Null).await;
        let shown = [("token", ada.token.as_deref().unwrap())];
        assert_eq!(script.send(script.post_request("/auth/introspect").form(&shown)).await.expect_status(200).body, json!({"active": false}));
        assert_eq!(admin.send(admin.post_request("/auth/introspect").form(&shown)).await.expect_status(200).body["active"], true);
    }

    async fn personal_tokens_keep_their_state_after_restart(app: TestApp) {
        let ada = app.editor("ada").await;
        let kept = token_client(&ada, json!(["files:read"]), Value::Null).await;
        let ended = token_client(&ada, json!(["files:read"]), Value::Null).await;
        ended.post("/auth/logout", Value::Null).await.expect_status(204);
        let app = app.restart().await;
        let at = |client: Client| Client { base: app.url(""), ..client };
        at(kept).get("/api/files").await.expect_status(200);
        at(ended).get("/api/files").await.expect_status(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_authorization_header_causes_no_server_error() {
    let app = TestApp::sqlite().await;
    let anonymous = app.anonymous();
    let long = format!("Basic {}", "QQ==".repeat(2000));
    for header in [
        b"".as_slice(),
        b"Basic",
        b"Basic ",
        b"Basic :",
        b"Basic Og==",
        b"Basic //8=",
        b"Basic YTpi\xff",
        b"Bearer \xff\xfe",
        b"Bearer sr_pat_",
        b"Bearer sr_pat_%00",
        b"bEaReR a.b.c",
        b"Bearer ..",
        b"Negotiate x",
        b"Digest username=\"a\"",
        b"Basic YTpzcl9wYXRf",
        b"Basic YWRhOnNyX3BhdF_DqQ==",
        b"Basic AA==",
        b"\x80",
        long.as_bytes(),
        b"Bearer a, Basic b",
    ] {
        let value = reqwest::header::HeaderValue::from_bytes(header).unwrap();
        for path in [
            "/auth/me",
            "/api/files",
            "/sign-in",
            "/ws",
            "/",
            "/auth/tokens",
        ] {
            let status = anonymous
                .send(
                    anonymous
                        .get_request(path)
                        .header("authorization", value.clone()),
                )
                .await
                .status();
            assert!(status < 500, "{status} for {header:?} at {path}");
        }
    }
}
