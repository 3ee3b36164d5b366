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
    both, live, personal,
};

/// The session cookie of the web page, as a browser sends it.
pub(crate) async fn session_cookie(app: &TestApp, name: &str, planted: Option<&str>) -> String {
    let anonymous = app.anonymous();
    let form = [("username", name), ("password", PASSWORD)];
    let request = anonymous
        .post("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .form(&form);
    let request = if let Some(planted) = planted {
        request.header("cookie", planted)
    } else {
        request
    };
    let answer = anonymous.ask(request).await.is(303);
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
    token: Client,
    refreshed: Client,
    cookie: String,
    personal: Client,
    socket: live::Socket,
}

impl OpenSessions {
    async fn of(app: &TestApp, name: &str) -> Self {
        let token = app.sign_in(name).await;
        let socket = live::open_websocket(app, "", &live::bearer_header(&token))
            .await
            .unwrap();
        Self {
            personal: personal::token_client(&token, json!(["files:read"]), Value::Null).await,
            refreshed: app.sign_in(name).await,
            cookie: session_cookie(app, name, None).await,
            token,
            socket,
        }
    }

    async fn ends_within_a_second(mut self, app: &TestApp, why: &str) {
        let began = Instant::now();
        self.token.see("/auth/me").await.is(401);
        self.personal.see("/auth/me").await.is(401);
        refresh_token(&self.refreshed, &self.refreshed.refresh)
            .await
            .is(400);
        refresh_token(&self.token, &self.token.refresh)
            .await
            .is(400);
        let anonymous = app.anonymous();
        anonymous
            .ask(with_cookie(&self.cookie, anonymous.get("/auth/me")))
            .await
            .is(401);
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
        let change = |fields: Value| root.request(reqwest::Method::PATCH, "/api/users/ada").json(&fields);

        let open = OpenSessions::of(&app, "ada").await;
        let ended = root.tell("/api/users/ada/end-sessions", Value::Null).await.is(200);
        assert_eq!(ended.body["ended"], 5);
        open.ends_within_a_second(&app, "ended by an administrator").await;

        let open = OpenSessions::of(&app, "ada").await;
        root.ask(change(json!({"disabled": true}))).await.is(200);
        open.ends_within_a_second(&app, "disabled").await;
        root.ask(change(json!({"disabled": false}))).await.is(200);

        let open = OpenSessions::of(&app, "ada").await;
        app.sign_in("ada").await.tell("/auth/sessions/end-others", Value::Null).await.is(200);
        open.ends_within_a_second(&app, "ended by the owner").await;

        let open = OpenSessions::of(&app, "ada").await;
        let ada = app.sign_in("ada").await;
        let new = json!({"current_password": PASSWORD, "new_password": "another battery horse staple", "end_other_sessions": true});
        ada.ask(ada.put("/auth/me/password").json(&new)).await.is(204);
        open.ends_within_a_second(&app, "refresh valid after password change").await;
        ada.see("/auth/me").await.is(200);

        app.editor("bob").await;
        let open = OpenSessions::of(&app, "bob").await;
        root.ask(root.delete("/api/users/bob")).await.is(204);
        open.ends_within_a_second(&app, "deleted").await;
    }

    async fn revoked_role_applies_to_existing_tokens_immediately(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        let script = personal::token_client(&ada, json!(["files:read", "files:write"]), Value::Null).await;
        ada.add("a.nc", b"x").await.is(201);
        root.ask(root.put("/api/vaults/main/members/ada").json(&json!({"role": "viewer"}))).await.is(204);
        for client in [&ada, &script] {
            client.add("b.nc", b"x").await.is(403);
            client.see("/api/files").await.is(200);
        }
        root.ask(root.request(reqwest::Method::PATCH, "/api/users/ada").json(&json!({"is_admin": true}))).await.is(200);
        ada.see("/api/users").await.is(200);
        root.ask(root.request(reqwest::Method::PATCH, "/api/users/ada").json(&json!({"is_admin": false}))).await.is(200);
        ada.see("/api/users").await.is(403);
    }

    async fn sign_out_closes_the_websocket(app: TestApp) {
        app.editor("ada").await;
        let cookie = session_cookie(&app, "ada", None).await;
        let headers = [("cookie", cookie.clone()), ("origin", app.url(""))];
        let mut socket = live::open_websocket(&app, "", &headers).await.unwrap();
        let anonymous = app.anonymous();
        anonymous.ask(with_cookie(&cookie, anonymous.post("/auth/logout"))).await.is(204);
        assert_eq!(timeout(Duration::from_secs(1), live::wait_for_close(&mut socket)).await.expect("still open"), 4001);
        assert!(socket.next().await.is_none_or(|message| message.is_err()), "no message follows the close frame");
        assert_eq!(live::open_websocket(&app, "", &headers).await.unwrap_err(), 401);
    }

    async fn revoked_or_replayed_tokens_stay_invalid_after_restart(app: TestApp) {
        let (ada, stolen) = (app.editor("ada").await, app.sign_in("ada").await);
        let anonymous = app.anonymous();
        anonymous.ask(anonymous.post("/auth/revoke").form(&[("token", &ada.refresh)])).await.is(200);
        let first = refresh_token(&stolen, &stolen.refresh).await.is(200);
        app.later(Duration::from_mins(1));
        refresh_token(&stolen, &stolen.refresh).await.is(400);
        let app = app.restart().await;
        let anonymous = app.anonymous();
        for dead in [&ada.refresh, &stolen.refresh, &first.body["refresh_token"].as_str().unwrap().to_owned()] {
            refresh_token(&anonymous, dead).await.is(400);
        }
        for dead in [ada.token, stolen.token] {
            Client { token: dead, ..anonymous.clone() }.see("/auth/me").await.is(401);
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
            let seen = anonymous.ask(with_cookie(&adas, anonymous.get("/auth/me"))).await.is(200);
            assert_eq!(seen.body["username"], "ada");
            let eve = anonymous.ask(with_cookie(planted, anonymous.get("/auth/me"))).await;
            assert!(eve.status == 401 || eve.body["username"] == "eve", "{}", eve.text);
        }
    }

    async fn ending_another_accounts_sessions_requires_recent_administrator(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        ada.tell("/api/users/bob/end-sessions", Value::Null).await.is(403);
        app.anonymous().tell("/api/users/bob/end-sessions", Value::Null).await.is(401);
        bob.see("/auth/me").await.is(200);
        let root = app.administrator("root").await;
        root.tell("/api/users/nobody/end-sessions", Value::Null).await.is(404);
        let script = personal::token_client(&root, json!(["files:read", "files:write", "locks:override"]), Value::Null).await;
        script.tell("/api/users/bob/end-sessions", Value::Null).await.is(403);
        app.later(Duration::from_mins(11));
        let old = root.tell("/api/users/bob/end-sessions", Value::Null).await.is(401);
        assert_eq!(old.body["error"], "insufficient_user_authentication");
        bob.see("/auth/me").await.is(200);
    }

    async fn own_sessions_are_listed_and_ended_individually(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        let other = app.sign_in("ada").await;
        let cookie = session_cookie(&app, "ada", None).await;
        let list = ada.see("/auth/sessions").await.is(200).body;
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list.iter().filter(|session| session["current"] == true).count(), 1);
        for session in list {
            assert_eq!((&session["methods"], &session["address"]), (&json!(["pwd"]), &json!("127.0.0.1")));
        }
        let theirs = other.see("/auth/sessions").await.body;
        let id = theirs.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap()["id"].clone();
        let path = format!("/auth/sessions/{}", id.as_str().unwrap());
        bob.ask(bob.delete(&path)).await.is(404);
        ada.ask(ada.delete(&path)).await.is(204);
        ada.ask(ada.delete(&path)).await.is(404);
        other.see("/auth/me").await.is(401);
        assert_eq!(ada.tell("/auth/sessions/end-others", Value::Null).await.is(200).body["ended"], 1);
        let anonymous = app.anonymous();
        anonymous.ask(with_cookie(&cookie, anonymous.get("/auth/me"))).await.is(401);
        ada.see("/auth/me").await.is(200);
    }

    async fn ending_all_sessions_keeps_callers_own_by_default(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        app.editor("bob").await;
        let script = personal::token_client(&app.sign_in("bob").await, json!(["files:read"]), Value::Null).await;
        let (of_ada, of_bob) = (OpenSessions::of(&app, "ada").await, OpenSessions::of(&app, "bob").await);
        let all = |fields: Value| root.tell("/api/sessions/end-all", fields);
        all(json!({"reason": " "})).await.is(422);
        let ended = all(json!({"reason": "A laptop was stolen"})).await.is(200).body["ended"].as_u64().unwrap();
        // Registered and signed in again: 2 + 3 sessions of ada, 3 + 3 of bob; personal tokens
        // stay.
        assert_eq!(ended, 9);
        for open in [&of_ada, &of_bob] {
            open.personal.see("/api/files").await.is(200);
        }
        script.see("/api/files").await.is(200);
        all(json!({"reason": "And the backup's", "end_tokens": true})).await.is(200);
        script.see("/api/files").await.is(401);
        of_ada.ends_within_a_second(&app, "everybody").await;
        of_bob.ends_within_a_second(&app, "everybody").await;
        root.see("/auth/me").await.is(200);
        let told = root.see("/api/audit?action=everybody").await.is(200).body;
        assert_eq!(told.as_array().unwrap().len(), 2, "one entry each: {told:#}");
        assert_eq!((&told[1]["reason"], &told[1]["facts"]["sessions"]), (&json!("A laptop was stolen"), &json!(9)));
        let own = app.sign_in("ada").await.see("/auth/audit?action=everybody").await.is(200).body;
        assert_eq!((own.as_array().unwrap().len(), &own[0]["from"]), (2, &Value::Null), "the affected user reads it: {own:#}");
        all(json!({"reason": "Really all", "keep_own": false})).await.is(200);
        root.see("/auth/me").await.is(401);
        let app = app.restart().await;
        let dead = Client { token: root.token.clone(), ..app.anonymous() };
        dead.see("/auth/me").await.is(401);
        refresh_token(&dead, &root.refresh).await.is(400);
        app.sign_in("root").await.see("/auth/me").await.is(200);
    }

    async fn ending_all_sessions_requires_recent_administrator(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        ada.tell("/api/sessions/end-all", json!({"reason": "x"})).await.is(403);
        app.later(Duration::from_mins(11));
        let old = root.tell("/api/sessions/end-all", json!({"reason": "x"})).await.is(401);
        assert_eq!(old.body["error"], "insufficient_user_authentication");
        ada.see("/auth/me").await.is(200);
    }
}
