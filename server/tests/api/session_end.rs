//! The end of a session ends all its credentials and streams at once: access tokens, refresh
//! tokens, cookie, personal tokens, sockets.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    accounts::refresh_token,
    app::{Client, PASSWORD, TestApp},
    both, live, personal_tokens,
    totp::enroll_totp,
};

/// The session cookie of the web page, as a browser sends it.
pub(crate) async fn session_cookie(app: &TestApp, name: &str, planted: Option<&str>) -> String {
    let anonymous = app.anonymous();
    let form = [("username", name), ("password", PASSWORD)];
    let request = anonymous
        .post_request("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .form(&form);
    let request = if let Some(planted) = planted {
        request.header("cookie", planted)
    } else {
        request
    };
    let answer = anonymous.send(request).await.expect_status(303);
    let set = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let ours = set
        .filter_map(|value| value.split(';').next())
        .find(|pair| pair.starts_with("strongroom="));
    ours.unwrap().to_owned()
}

fn with_cookie(cookie: &str, request: RequestBuilder) -> RequestBuilder {
    request
        .header("cookie", cookie)
        .header("sec-fetch-site", "same-origin")
}

/// Everything that a user can have open, each in its own session.
struct OpenSessions {
    bearer: Client,
    refreshed: Client,
    cookie: String,
    personal: Client,
    socket: live::Socket,
}

impl OpenSessions {
    async fn start_all(app: &TestApp, name: &str) -> Self {
        let token = app.sign_in(name).await;
        let socket = live::open_websocket(app, "", &live::bearer_header(&token))
            .await
            .unwrap();
        Self {
            personal: personal_tokens::token_client(&token, json!(["files:read"]), Value::Null)
                .await,
            refreshed: app.sign_in(name).await,
            cookie: session_cookie(app, name, None).await,
            bearer: token,
            socket,
        }
    }

    async fn expect_all_ended(mut self, app: &TestApp, why: &str) {
        let began = Instant::now();
        self.bearer.get("/auth/me").await.expect_status(401);
        self.personal.get("/auth/me").await.expect_status(401);
        refresh_token(&self.refreshed, &self.refreshed.refresh)
            .await
            .expect_status(400);
        refresh_token(&self.bearer, &self.bearer.refresh)
            .await
            .expect_status(400);
        let anonymous = app.anonymous();
        anonymous
            .send(with_cookie(&self.cookie, anonymous.get_request("/auth/me")))
            .await
            .expect_status(401);
        assert_eq!(
            timeout(
                Duration::from_secs(1),
                live::wait_for_close(&mut self.socket)
            )
            .await
            .expect(why),
            4001,
            "{why}"
        );
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{why}: {:?}",
            began.elapsed()
        );
    }
}

both! {
    async fn ended_sessions_lose_tokens_and_streams_within_second(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        let change = |fields: Value| root.request_builder(reqwest::Method::PATCH, "/api/users/ada").json(&fields);

        let open = OpenSessions::start_all(&app, "ada").await;
        let ended = root.post("/api/users/ada/end-sessions", Value::Null).await.expect_status(200);
        assert_eq!(ended.body["ended"], 5);
        open.expect_all_ended(&app, "ended by an administrator").await;

        let open = OpenSessions::start_all(&app, "ada").await;
        root.send(change(json!({"disabled": true}))).await.expect_status(200);
        open.expect_all_ended(&app, "disabled").await;
        root.send(change(json!({"disabled": false}))).await.expect_status(200);

        let open = OpenSessions::start_all(&app, "ada").await;
        app.sign_in("ada").await.post("/auth/sessions/end-others", Value::Null).await.expect_status(200);
        open.expect_all_ended(&app, "ended by the owner").await;

        let open = OpenSessions::start_all(&app, "ada").await;
        enroll_totp(&app, &app.sign_in("ada").await).await;
        open.expect_all_ended(&app, "a factor was added").await;
        root.post("/api/users/ada/recover", json!({"reason": "a test"})).await.expect_status(204);

        let open = OpenSessions::start_all(&app, "ada").await;
        let ada = app.sign_in("ada").await;
        let new = json!({"current_password": PASSWORD, "new_password": "another battery horse staple", "end_other_sessions": true});
        ada.send(ada.put_request("/auth/me/password").json(&new)).await.expect_status(204);
        open.expect_all_ended(&app, "refresh valid after password change").await;
        ada.get("/auth/me").await.expect_status(200);

        app.editor("bob").await;
        let open = OpenSessions::start_all(&app, "bob").await;
        root.send(root.delete_request("/api/users/bob")).await.expect_status(204);
        open.expect_all_ended(&app, "deleted").await;
    }

    async fn revoked_role_applies_to_existing_tokens_immediately(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        let script = personal_tokens::token_client(&ada, json!(["files:read", "files:write"]), Value::Null).await;
        ada.add("a.nc", b"x").await.expect_status(201);
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "viewer"}))).await.expect_status(204);
        for client in [&ada, &script] {
            client.add("b.nc", b"x").await.expect_status(403);
            client.get("/api/files").await.expect_status(200);
        }
        root.send(root.request_builder(reqwest::Method::PATCH, "/api/users/ada").json(&json!({"is_admin": true}))).await.expect_status(200);
        ada.get("/api/users").await.expect_status(200);
        root.send(root.request_builder(reqwest::Method::PATCH, "/api/users/ada").json(&json!({"is_admin": false}))).await.expect_status(200);
        ada.get("/api/users").await.expect_status(403);
    }

    async fn sign_out_closes_the_websocket(app: TestApp) {
        app.editor("ada").await;
        let cookie = session_cookie(&app, "ada", None).await;
        let headers = [("cookie", cookie.clone()), ("origin", app.url(""))];
        let mut socket = live::open_websocket(&app, "", &headers).await.unwrap();
        let anonymous = app.anonymous();
        anonymous.send(with_cookie(&cookie, anonymous.post_request("/auth/logout"))).await.expect_status(204);
        assert_eq!(timeout(Duration::from_secs(1), live::wait_for_close(&mut socket)).await.expect("still open"), 4001);
        assert!(socket.next().await.is_none_or(|message| message.is_err()), "no message follows the close frame");
        assert_eq!(live::open_websocket(&app, "", &headers).await.unwrap_err(), 401);
    }

    async fn revoked_or_replayed_tokens_stay_invalid_after_restart(app: TestApp) {
        let (ada, stolen) = (app.editor("ada").await, app.sign_in("ada").await);
        let anonymous = app.anonymous();
        anonymous.send(anonymous.post_request("/auth/revoke").form(&[("token", &ada.refresh)])).await.expect_status(200);
        let first = refresh_token(&stolen, &stolen.refresh).await.expect_status(200);
        app.advance_clock(Duration::from_mins(1));
        refresh_token(&stolen, &stolen.refresh).await.expect_status(400);
        let app = app.restart().await;
        let anonymous = app.anonymous();
        for dead in [&ada.refresh, &stolen.refresh, &first.body["refresh_token"].as_str().unwrap().to_owned()] {
            refresh_token(&anonymous, dead).await.expect_status(400);
        }
        for dead in [ada.token, stolen.token] {
            Client { token: dead, ..anonymous.clone() }.get("/auth/me").await.expect_status(401);
        }
    }

    async fn planted_session_cookie_is_replaced_at_sign_in(app: TestApp) {
        app.editor("ada").await;
        app.editor("eve").await;
        // Eve's own cookie, and a forged one, set in Ada's browser before she signs in.
        let eves = session_cookie(&app, "eve", None).await;
        let anonymous = app.anonymous();
        for planted in [eves.as_str(), "strongroom=sr_ws_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let adas = session_cookie(&app, "ada", Some(planted)).await;
            assert_ne!(adas, planted, "a sign-in sets a new cookie");
            let seen = anonymous.send(with_cookie(&adas, anonymous.get_request("/auth/me"))).await.expect_status(200);
            assert_eq!(seen.body["username"], "ada");
            let eve = anonymous.send(with_cookie(planted, anonymous.get_request("/auth/me"))).await;
            assert!(eve.status() == 401 || eve.body["username"] == "eve", "{}", eve.text);
        }
    }

    async fn ending_another_accounts_sessions_requires_recent_administrator(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        ada.post("/api/users/bob/end-sessions", Value::Null).await.expect_status(403);
        app.anonymous().post("/api/users/bob/end-sessions", Value::Null).await.expect_status(401);
        bob.get("/auth/me").await.expect_status(200);
        let root = app.administrator("root").await;
        root.post("/api/users/nobody/end-sessions", Value::Null).await.expect_status(404);
        let script = personal_tokens::token_client(&root, json!(["files:read", "files:write", "locks:override"]), Value::Null).await;
        script.post("/api/users/bob/end-sessions", Value::Null).await.expect_status(403);
        app.advance_clock(Duration::from_mins(11));
        let old = root.post("/api/users/bob/end-sessions", Value::Null).await.expect_status(401);
        assert_eq!(old.body["error"], "insufficient_user_authentication");
        bob.get("/auth/me").await.expect_status(200);
    }

    async fn own_sessions_are_listed_and_ended_individually(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        let other = app.sign_in("ada").await;
        let cookie = session_cookie(&app, "ada", None).await;
        let list = ada.get("/auth/sessions").await.expect_status(200).body;
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list.iter().filter(|session| session["current"] == true).count(), 1);
        for session in list {
            assert_eq!((&session["methods"], &session["address"]), (&json!(["pwd"]), &json!("127.0.0.1")));
        }
        let theirs = other.get("/auth/sessions").await.expect_status(200).body;
        let id = theirs.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap()["id"].clone();
        let path = format!("/auth/sessions/{}", id.as_str().unwrap());
        bob.send(bob.delete_request(&path)).await.expect_status(404);
        ada.send(ada.delete_request(&path)).await.expect_status(204);
        ada.send(ada.delete_request(&path)).await.expect_status(404);
        other.get("/auth/me").await.expect_status(401);
        assert_eq!(ada.post("/auth/sessions/end-others", Value::Null).await.expect_status(200).body["ended"], 1);
        let anonymous = app.anonymous();
        anonymous.send(with_cookie(&cookie, anonymous.get_request("/auth/me"))).await.expect_status(401);
        ada.get("/auth/me").await.expect_status(200);
    }

    async fn ending_all_sessions_keeps_callers_own_by_default(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        app.editor("bob").await;
        let script = personal_tokens::token_client(&app.sign_in("bob").await, json!(["files:read"]), Value::Null).await;
        let (of_ada, of_bob) = (OpenSessions::start_all(&app, "ada").await, OpenSessions::start_all(&app, "bob").await);
        let all = |fields: Value| root.post("/api/sessions/end-all", fields);
        all(json!({"reason": " "})).await.expect_status(422);
        let ended = all(json!({"reason": "A laptop was stolen"})).await.expect_status(200).body["ended"].as_u64().unwrap();
        // Registered and signed in again: 2 + 3 sessions of ada, 3 + 3 of bob; personal tokens
        // stay.
        assert_eq!(ended, 9);
        for open in [&of_ada, &of_bob] {
            open.personal.get("/api/files").await.expect_status(200);
        }
        script.get("/api/files").await.expect_status(200);
        all(json!({"reason": "And the backup's", "end_tokens": true})).await.expect_status(200);
        script.get("/api/files").await.expect_status(401);
        of_ada.expect_all_ended(&app, "everybody").await;
        of_bob.expect_all_ended(&app, "everybody").await;
        root.get("/auth/me").await.expect_status(200);
        let entries = root.get("/api/audit?action=everybody").await.expect_status(200).body;
        assert_eq!(entries.as_array().unwrap().len(), 2, "one entry each: {entries:#}");
        assert_eq!((&entries[1]["reason"], &entries[1]["facts"]["sessions"]), (&json!("A laptop was stolen"), &json!(9)));
        let own = app.sign_in("ada").await.get("/auth/audit?action=everybody").await.expect_status(200).body;
        assert_eq!((own.as_array().unwrap().len(), &own[0]["from"]), (2, &Value::Null), "the affected user reads it: {own:#}");
        all(json!({"reason": "Really all", "keep_own": false})).await.expect_status(200);
        root.get("/auth/me").await.expect_status(401);
        let app = app.restart().await;
        let dead = Client { token: root.token.clone(), ..app.anonymous() };
        dead.get("/auth/me").await.expect_status(401);
        refresh_token(&dead, &root.refresh).await.expect_status(400);
        app.sign_in("root").await.get("/auth/me").await.expect_status(200);
    }

    async fn ending_all_sessions_requires_recent_administrator(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        ada.post("/api/sessions/end-all", json!({"reason": "x"})).await.expect_status(403);
        app.advance_clock(Duration::from_mins(11));
        let old = root.post("/api/sessions/end-all", json!({"reason": "x"})).await.expect_status(401);
        assert_eq!(old.body["error"], "insufficient_user_authentication");
        ada.get("/auth/me").await.expect_status(200);
    }
}
