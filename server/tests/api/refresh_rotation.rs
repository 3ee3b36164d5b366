//! Refresh token families: one lineage, one scope, and two fixed expiry times.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use server::{
    ConfigSource,
    config::{SessionsSection, Toggle},
};

use crate::{
    accounts::refresh_token,
    app::{Client, PASSWORD, TestApp},
    both, personal_tokens, session_end,
};

fn token_form(client: &Client, form: &[(&str, &str)]) -> RequestBuilder {
    Client {
        token: None,
        ..client.clone()
    }
    .post_request("/auth/token")
    .form(form)
}

both! {
    async fn parallel_api_refreshes_leave_one_active_token(app: TestApp) {
        let ada = app.editor("ada").await;
        let answers = join_all((0..50).map(|_| refresh_token(&ada, &ada.refresh))).await;
        let mut successors: Vec<String> = Vec::new();
        for answer in answers {
            assert!(matches!(answer.status(), 200 | 400), "{}", answer.text);
            successors.extend(answer.body["refresh_token"].as_str().map(str::to_owned));
        }
        assert!(!successors.is_empty());
        let mut alive = 0;
        for token in &successors {
            let asked = ada.post_request("/auth/introspect").form(&[("token", token)]);
            alive += usize::from(ada.send(asked).await.expect_status(200).body["active"] == true);
        }
        assert_eq!(alive, 1, "of {}", successors.len());
    }

    async fn session_ends_after_14_idle_or_90_days(app: TestApp) {
        let (idle, used) = (app.editor("ada").await, app.sign_in("ada").await);
        let mut token = used.refresh.clone();
        for _ in 0..6 {
            app.advance_clock(Duration::from_hours(13 * 24));
            let answer = refresh_token(&used, &token).await.expect_status(200);
            answer.body["refresh_token"].as_str().unwrap().clone_into(&mut token);
        }
        refresh_token(&idle, &idle.refresh).await.expect_status(400);
        app.advance_clock(Duration::from_hours(12 * 24 - 1));
        let last = refresh_token(&used, &token).await.expect_status(200).body;
        assert!(last["expires_in"].as_u64().unwrap() <= 3_600, "an access token does not outlive its session: {last}");
        app.advance_clock(Duration::from_hours(1));
        refresh_token(&used, last["refresh_token"].as_str().unwrap()).await.expect_status(400);
        Client { token: last["access_token"].as_str().map(str::to_owned), ..used }.get("/auth/me").await.expect_status(401);
    }

    async fn refresh_scope_narrows_only_the_access_token(app: TestApp) {
        let ada = app.editor("ada").await;
        let ask = |token: &str, scope: &str| {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
            ada.send(token_form(&ada, &fields))
        };
        let wrong = ask(&ada.refresh, "files:read root").await.expect_status(400);
        assert_eq!(wrong.body["error"], "invalid_scope");
        let less = ask(&ada.refresh, "files:read").await.expect_status(200);
        assert_eq!(less.body["scope"], "files:read");
        let reader = Client { token: less.body["access_token"].as_str().map(str::to_owned), ..ada.clone() };
        reader.get("/api/files").await.expect_status(200);
        let refused = reader.add("a.nc", b"x").await.expect_status(403);
        assert_eq!(refused.body["error"], "insufficient_scope");
        reader.get("/auth/sessions").await.expect_status(403);
        // The refresh token still has the full scope.
        let next = less.body["refresh_token"].as_str().unwrap();
        let all = ask(next, "files:read files:write locks:override admin account").await.expect_status(200);
        assert_eq!(all.body["scope"], "files:read files:write locks:override admin account");
    }

    async fn password_grant_scope_cannot_be_widened_by_refresh(app: TestApp) {
        let ada = app.administrator("ada").await;
        let ask = |scope: &str| {
            let fields = [("grant_type", "password"), ("username", "ada"), ("password", PASSWORD), ("scope", scope)];
            ada.send(token_form(&app.anonymous(), &fields))
        };
        let all = "files:read files:write locks:override admin account";
        for scope in ["", " ", all] {
            assert_eq!(ask(scope).await.expect_status(200).body["scope"], all);
        }
        let reader = ask("files:read").await.expect_status(200).body;
        assert_eq!(reader["scope"], "files:read");
        let claims = reader["access_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let claims = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, claims).unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&claims).unwrap()["scope"], "files:read");
        let reader = crate::totp::client_from(&app, "ada", &ask("files:read").await.expect_status(200));
        reader.get("/api/files").await.expect_status(200);
        for path in ["/api/users", "/auth/sessions"] {
            assert_eq!(reader.get(path).await.expect_status(403).body["error"], "insufficient_scope", "{path}");
        }
        assert_eq!(reader.add("a.nc", b"x").await.expect_status(403).body["error"], "insufficient_scope");
        let wider = [("grant_type", "refresh_token"), ("refresh_token", &reader.refresh), ("scope", all)];
        assert_eq!(reader.send(token_form(&reader, &wider)).await.expect_status(400).body["error"], "invalid_scope");
        let again = refresh_token(&reader, &reader.refresh).await.expect_status(200).body;
        assert_eq!(again["scope"], "files:read");
        let blank = [("grant_type", "refresh_token"), ("refresh_token", again["refresh_token"].as_str().unwrap()), ("scope", "")];
        assert_eq!(reader.send(token_form(&reader, &blank)).await.expect_status(200).body["scope"], "files:read");
    }

    async fn invalid_scope_is_rejected_before_password_check(app: TestApp) {
        app.editor("ada").await;
        for (password, scope) in [(PASSWORD, "files:read root"), ("wrong wrong wrong", "me"), (PASSWORD, "files:read\tadmin")] {
            let fields = [("username", "ada"), ("password", password), ("scope", scope)];
            let refused = app.anonymous().send(token_form(&app.anonymous(), &fields)).await.expect_status(400);
            assert_eq!(refused.body["error"], "invalid_scope", "{scope}");
        }
    }

    async fn replayed_refresh_token_invalidates_tokens_of_its_session(app: TestApp) {
        let ada = app.editor("ada").await;
        let thief = refresh_token(&ada, &ada.refresh).await.expect_status(200);
        app.advance_clock(Duration::from_secs(11));
        let replay = refresh_token(&ada, &ada.refresh).await.expect_status(400);
        assert_eq!(replay.body["error"], "invalid_grant");
        refresh_token(&ada, thief.body["refresh_token"].as_str().unwrap()).await.expect_status(400);
        ada.get("/auth/me").await.expect_status(401);
        Client { token: thief.body["access_token"].as_str().map(str::to_owned), ..ada }.get("/auth/me").await.expect_status(401);
        let root = app.administrator("root").await;
        let entries = root.get("/api/audit?action=refresh.replayed").await.expect_status(200).body;
        assert_eq!(entries.as_array().unwrap().len(), 1, "{entries}");
        assert_eq!(entries[0]["subject"], "ada");
    }

    async fn token_kinds_are_accepted_in_their_place_only(app: TestApp) {
        let ada = app.editor("ada").await;
        let cookie = session_end::session_cookie(&app, "ada", None).await;
        let cookie = cookie.split_once('=').unwrap().1.to_owned();
        let personal = personal_tokens::token_client(&ada, json!(["files:read"]), Value::Null).await.token.unwrap();
        let ticket = ada.post("/auth/ws-ticket", Value::Null).await.expect_status(200).body["ticket"].as_str().unwrap().to_owned();
        let tokens = [
            ("access", ada.token.clone().unwrap()),
            ("personal", personal),
            ("cookie", cookie),
            ("ticket", ticket),
            ("refresh", ada.refresh.clone()),
        ];
        let anonymous = app.anonymous();
        let mut taken = Vec::new();
        for (kind, token) in &tokens {
            let me = |request: RequestBuilder| anonymous.send(request);
            let name = "strongroom";
            for (place, answer) in [
                ("bearer", me(anonymous.get_request("/auth/me").bearer_auth(token)).await),
                ("basic", me(anonymous.get_request("/auth/me").basic_auth("ada", Some(token))).await),
                ("cookie", me(anonymous.get_request("/auth/me").header("cookie", format!("{name}={token}"))).await),
                ("query", me(anonymous.get_request(&format!("/auth/me?access_token={token}"))).await),
                ("refresh", refresh_token(&anonymous, token).await),
                ("password", me(token_form(&anonymous, &[("username", "ada"), ("password", token)])).await),
            ] {
                if answer.status() == 200 {
                    taken.push((*kind, place));
                } else {
                    let refused = if place == "refresh" { 400 } else { 401 };
                    assert_eq!(answer.status(), refused, "{kind} as {place}: {}", answer.text);
                }
            }
        }
        let expected =
            [("access", "bearer"), ("personal", "bearer"), ("personal", "basic"), ("cookie", "cookie"), ("refresh", "refresh")];
        assert_eq!(taken, expected, "a ticket opens one stream only");
    }

    async fn introspection_reports_dead_and_forged_tokens_inactive(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        let dead = json!({"active": false});
        let ask = |token: String| root.send(root.post_request("/auth/introspect").form(&[("token", token)]));
        let (access, refreshed) = (ada.token.clone().unwrap(), ada.refresh.clone());
        assert_eq!(ask(access.clone()).await.expect_status(200).body["active"], true);
        let (header, rest) = access.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        for forged in [format!("{header}.{claims}."), format!("{header}.{claims}.AAAA"), format!("{access}x"), String::from("x")] {
            assert_eq!(ask(forged).await.expect_status(200).body, dead);
        }
        // Used, expired, revoked.
        let next = refresh_token(&ada, &refreshed).await.expect_status(200).body["refresh_token"].as_str().unwrap().to_owned();
        assert_eq!(ask(refreshed).await.expect_status(200).body, dead);
        let anonymous = app.anonymous();
        anonymous.send(anonymous.post_request("/auth/introspect").form(&[("token", &access)])).await.expect_status(401);
        root.send(root.get_request("/auth/introspect")).await.expect_status(405);
        root.send(root.post_request("/auth/introspect").form(&[("nothing", "x")])).await.expect_status(400);
        assert_eq!(ask(next.clone()).await.expect_status(200).body["active"], true);
        ada.post("/auth/logout", Value::Null).await.expect_status(204);
        for token in [access, next] {
            assert_eq!(ask(token).await.expect_status(200).body, dead);
        }
    }

    async fn revocation_ignores_the_token_type_hint(app: TestApp) {
        app.editor("ada").await;
        for hint in ["access_token", "refresh_token", "nonsense", ""] {
            let ada = app.sign_in("ada").await;
            let anonymous = app.anonymous();
            for nothing in ["nonsense", "sr_rt_nothing", "a.b.c"] {
                anonymous.send(anonymous.post_request("/auth/revoke").form(&[("token", nothing), ("token_type_hint", hint)])).await.expect_status(200);
            }
            ada.get("/auth/me").await.expect_status(200);
            let fields = [("token", ada.refresh.as_str()), ("token_type_hint", hint)];
            anonymous.send(anonymous.post_request("/auth/revoke").form(&fields)).await.expect_status(200);
            ada.get("/auth/me").await.expect_status(401);
            refresh_token(&ada, &ada.refresh).await.expect_status(400);
        }
        app.anonymous().send(app.anonymous().get_request("/auth/revoke")).await.expect_status(405);
        app.anonymous().send(app.anonymous().post_request("/auth/revoke").form(&[("x", "y")])).await.expect_status(400);
    }

    async fn server_metadata_endpoints_exist(app: TestApp) {
        let answer = app.anonymous().get("/.well-known/oauth-authorization-server").await.expect_status(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let metadata = answer.body;
        assert_eq!(metadata["issuer"], "http://strongroom.test");
        for name in ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri"] {
            let path = metadata[name].as_str().unwrap().strip_prefix("http://strongroom.test").unwrap().to_owned();
            assert_ne!(app.anonymous().get(&path).await.status(), 404, "{name}");
        }
        assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!("password")));
        assert_eq!(metadata["scopes_supported"], json!(["files:read", "files:write", "locks:override", "admin", "account"]));
        for (name, value) in metadata.as_object().unwrap() {
            assert!(*value != json!([]), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_password_grant_keeps_browser_sign_in() {
    let app = TestApp::with_settings(ConfigSource {
        password_grant: Some(Toggle::Off),
        ..ConfigSource::default()
    })
    .await;
    let anonymous = app.anonymous();
    anonymous
        .post(
            "/auth/register",
            json!({"username": "ada", "password": PASSWORD}),
        )
        .await
        .expect_status(201);
    for fields in [
        &[("username", "ada"), ("password", PASSWORD)][..],
        &[
            ("grant_type", "password"),
            ("username", "ada"),
            ("password", PASSWORD),
        ],
    ] {
        let answer = anonymous
            .send(token_form(&anonymous, fields))
            .await
            .expect_status(400);
        assert_eq!(answer.body["error"], "unsupported_grant_type");
    }
    let metadata = anonymous
        .get("/.well-known/oauth-authorization-server")
        .await
        .expect_status(200)
        .body;
    assert!(
        !metadata["grant_types_supported"]
            .as_array()
            .unwrap()
            .contains(&json!("password"))
    );
    let cookie = session_end::session_cookie(&app, "ada", None).await;
    let seen = anonymous
        .send(anonymous.get_request("/auth/me").header("cookie", cookie))
        .await
        .expect_status(200);
    assert_eq!(seen.body["username"], "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_and_access_token_lifetimes_are_configurable() {
    let sessions = SessionsSection {
        idle_days: Some(1),
        absolute_days: Some(2),
        access_minutes: Some(5),
        ..SessionsSection::default()
    };
    let app = TestApp::with_settings(ConfigSource {
        sessions: Some(sessions),
        ..ConfigSource::default()
    })
    .await;
    let ada = app.editor("ada").await;
    app.advance_clock(Duration::from_secs(295));
    ada.get("/auth/me").await.expect_status(200);
    app.advance_clock(Duration::from_secs(6));
    ada.get("/auth/me").await.expect_status(401);
    app.advance_clock(Duration::from_hours(24));
    refresh_token(&ada, &ada.refresh).await.expect_status(400);
    // Never idle for a day, and over after two.
    let used = app.sign_in("ada").await;
    let mut token = used.refresh.clone();
    for (wait, lifetime) in [(23 * 60, 300), (23 * 60, 300), (119, 60)] {
        app.advance_clock(Duration::from_mins(wait));
        let answer = refresh_token(&used, &token).await.expect_status(200).body;
        let expires_in = answer["expires_in"].as_u64().unwrap();
        assert!(
            (lifetime - 20..=lifetime).contains(&expires_in),
            "{expires_in} s"
        );
        token = answer["refresh_token"].as_str().unwrap().to_owned();
    }
    app.advance_clock(Duration::from_mins(1));
    refresh_token(&used, &token).await.expect_status(400);
}
