//! The life cycle of access and refresh tokens.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{accounts::refresh_token, app::PASSWORD, both};

both! {
    async fn token_endpoint_responses_follow_rfc_6749(app: TestApp) {
        app.editor("ada").await;
        let anonymous = app.anonymous();
        let form = [("username", "ada"), ("password", PASSWORD)];
        let answer = anonymous.send(anonymous.post_request("/auth/token").form(&form)).await.expect_status(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("bearer"), &json!(1800)));
        for (form, status, code) in [
            ("grant_type=password&username=ada", 400, "invalid_request"),
            ("grant_type=password&username=&password=x", 400, "invalid_request"),
            ("grant_type=password&username=ada&username=bob&password=x", 400, "invalid_request"),
            ("grant_type=client_credentials", 400, "unsupported_grant_type"),
            ("grant_type=refresh_token&refresh_token=sr_rt_nothing", 400, "invalid_grant"),
            ("grant_type=password&username=%ff&password=x", 400, "invalid_request"),
        ] {
            let post = anonymous.post_request("/auth/token").header("content-type", "application/x-www-form-urlencoded").body(form);
            let answer = anonymous.send(post).await.expect_status(status);
            assert_eq!(answer.body["error"], code, "{form}");
            assert_eq!(answer.header("content-type"), Some("application/json"), "{form}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{form}");
            let described = answer.body["error_description"].as_str().unwrap();
            assert!(described.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{described}");
        }
        anonymous.send(anonymous.post_request("/auth/token").json(&json!({"username": "ada"}))).await.expect_status(415);
        anonymous.send(anonymous.get_request("/auth/token")).await.expect_status(405);
    }

    async fn access_token_expires_after_30_minutes(app: TestApp) {
        let ada = app.editor("ada").await;
        app.advance_clock(Duration::from_secs(1795));
        ada.get("/auth/me").await.expect_status(200);
        app.advance_clock(Duration::from_secs(15));
        let answer = ada.get("/auth/me").await.expect_status(401).expect_detail("Could not validate credentials");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    }

    async fn replayed_api_refresh_token_ends_the_session(app: TestApp) {
        let ada = app.editor("ada").await;
        let first = refresh_token(&ada, &ada.refresh).await.expect_status(200);
        app.advance_clock(Duration::from_mins(1));
        let second = refresh_token(&ada, first.body["refresh_token"].as_str().unwrap()).await.expect_status(200);
        refresh_token(&ada, &ada.refresh).await.expect_status(400);
        refresh_token(&ada, second.body["refresh_token"].as_str().unwrap()).await.expect_status(400);
        ada.get("/auth/me").await.expect_status(401);
    }

    async fn refresh_token_retry_within_grace_period_succeeds(app: TestApp) {
        let ada = app.editor("ada").await;
        refresh_token(&ada, &ada.refresh).await.expect_status(200);
        let again = refresh_token(&ada, &ada.refresh).await.expect_status(200);
        refresh_token(&ada, again.body["refresh_token"].as_str().unwrap()).await.expect_status(200);
        ada.get("/auth/me").await.expect_status(200);
    }

    async fn api_sign_out_ends_only_its_session(app: TestApp) {
        let (ada, other) = (app.editor("ada").await, app.sign_in("ada").await);
        ada.post("/auth/logout", Value::Null).await.expect_status(204);
        ada.get("/auth/me").await.expect_status(401);
        refresh_token(&ada, &ada.refresh).await.expect_status(400);
        other.get("/auth/me").await.expect_status(200);
    }

    async fn revocation_ends_session_and_always_returns_200(app: TestApp) {
        let (one, two) = (app.editor("ada").await, app.sign_in("ada").await);
        let anonymous = app.anonymous();
        let revoke = |token: String, hint: &'static str| {
            let form = [("token", token), ("token_type_hint", hint.to_owned())];
            anonymous.send(anonymous.post_request("/auth/revoke").form(&form))
        };
        revoke("nonsense".to_owned(), "x").await.expect_status(200);
        revoke(one.refresh.clone(), "access_token").await.expect_status(200);
        two.get("/auth/me").await.expect_status(200);
        revoke(two.token.clone().unwrap(), "refresh_token").await.expect_status(200);
        for ended in [one, two] {
            ended.get("/auth/me").await.expect_status(401);
            refresh_token(&ended, &ended.refresh).await.expect_status(400);
        }
    }

    async fn api_introspection_is_limited_to_the_owner(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        let ask = |client: &crate::app::Client, token: &str| client.post_request("/auth/introspect").form(&[("token", token.to_owned())]);
        let own = ada.send(ask(&ada, ada.token.as_ref().unwrap())).await.expect_status(200).body;
        assert_eq!((&own["active"], &own["sub"]), (&json!(true), &json!("ada")));
        for token in [ada.token.clone().unwrap(), ada.refresh.clone(), "nonsense".to_owned()] {
            assert_eq!(bob.send(ask(&bob, &token)).await.expect_status(200).body, json!({"active": false}));
        }
        app.anonymous().send(ask(&app.anonymous(), "x")).await.expect_status(401);
    }

    async fn server_metadata_names_the_issuer(app: TestApp) {
        let answer = app.anonymous().get("/.well-known/oauth-authorization-server").await.expect_status(200).body;
        assert_eq!(answer["token_endpoint"], format!("{}/auth/token", answer["issuer"].as_str().unwrap()));
        assert_eq!(app.anonymous().get("/.well-known/jwks.json").await.expect_status(200).body, json!({"keys": []}));
    }
}
