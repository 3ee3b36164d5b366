//! Requests of an attacker.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};

use crate::{
    app::{PASSWORD, TestApp, file_url},
    both,
    protocol::raw_exchange,
};

both! {
    async fn forged_access_token_returns_401(app: TestApp) {
        let ada = app.editor("ada").await;
        let token = ada.token.clone().unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims]: [Value; 2] =
            [0, 1].map(|i| serde_json::from_slice(&BASE64URL.decode(parts[i]).unwrap()).unwrap());
        let encode = |value: &Value| BASE64URL.encode(value.to_string());
        let with = |name: &str, value: Value| { let mut claims = claims.clone(); claims[name] = value; encode(&claims) };
        let none = encode(&json!({"alg": "none", "typ": "at+jwt", "kid": header["kid"]}));
        let forged = [
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], with("sub", json!("root")), parts[2]),
            format!("{}.{}.{}", parts[0], with("exp", json!("9999999999")), parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            format!("{token}x"),
            format!("{token}.{}", parts[2]),
            "a".repeat(5000),
            ada.refresh.clone(),
        ];
        for token in forged {
            let eve = crate::app::Client { token: Some(token.clone()), ..ada.clone() };
            let answer = eve.get("/auth/me").await.expect_status(401).expect_detail("Could not validate credentials");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""), "{token}");
        }
        ada.get("/auth/me").await.expect_status(200);
    }

    async fn malformed_or_duplicate_credentials_return_client_errors(app: TestApp) {
        let ada = app.editor("ada").await;
        let token = ada.token.clone().unwrap();
        let anonymous = app.anonymous();
        let missing = anonymous.get("/auth/me").await.expect_status(401);
        assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
        for value in ["", "Bearer", "Bearer ", "Basic YTpi", "bearer\u{a0}x", &format!("Token {token}"), &format!("Bearer {token} {token}")] {
            let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            anonymous.send(anonymous.get_request("/auth/me").header("authorization", value)).await.expect_status(401);
        }
        let twice = anonymous.get_request("/auth/me").header("authorization", format!("Bearer {token}")).header("authorization", "Bearer x");
        anonymous.send(twice).await.expect_status(400);
        let both = ada.get_request("/auth/me").header("cookie", "strongroom=sr_ws_x");
        ada.send(both).await.expect_status(400);
        anonymous.get(&format!("/auth/me?access_token={token}")).await.expect_status(401);
    }

    async fn hostile_filenames_are_rejected_with_422(app: TestApp) {
        let ada = app.editor("ada").await;
        for name in ["a/../b", "/etc/passwd", "a//b", "a\\b", "CON", "nul.txt", ".git/config", ".GIT", "git~1", "a\u{0}b",
            "a.", "a ", ".g\u{200c}it/x", "e\u{301}.nc", "a:b", "\u{202e}cod.exe", &"x".repeat(256)] {
            let answer = ada.add(name, b"x").await.expect_status(422);
            assert_eq!(answer.body["errors"][0]["pointer"], "#filename", "{name:?}");
        }
        ada.send(ada.get_request("/api/files/%ff%fe")).await.expect_status(422);
        // HTTP clients normalize this path before they send it.
        assert!(send_raw(&app, &ada, "/api/files/%2e%2e").await.starts_with("HTTP/1.1 422"));
        assert!(send_raw(&app, &ada, "/api/files/../../etc/passwd").await.starts_with("HTTP/1.1 404"));
        assert_eq!(ada.get("/api/files").await.expect_status(200).body, json!([]));
        // A doubly encoded path is a name with percent signs, not a path traversal.
        ada.add("%2e%2e", b"x").await.expect_status(201);
    }

    async fn oversized_headers_and_malformed_bodies_are_rejected(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.send(ada.get_request("/auth/me").header("x-large", "a".repeat(20 * 1024))).await.expect_status(431);
        ada.add("a.nc", b"x").await.expect_status(201);
        ada.post(&file_url("a.nc", "/checkout"), json!({"note": "a".repeat(70 * 1024)})).await.expect_status(413);
        ada.post(&file_url("a.nc", "/checkout"), json!({"note": "a".repeat(1001)})).await.expect_status(422);
        ada.send(ada.post_request("/auth/register").header("content-type", "application/json").body(vec![b'['; 60_000])).await.expect_status(422);
        ada.send(ada.post_request("/auth/register").header("content-type", "application/json").body(vec![0xff, 0xfe])).await.expect_status(422);
        ada.post(&file_url("a.nc", "/checkout"), json!([null])).await.expect_status(422);
    }

    async fn cross_site_write_with_session_cookie_is_forbidden(app: TestApp) {
        app.editor("ada").await;
        let anonymous = app.anonymous();
        let form = [("username", "ada"), ("password", PASSWORD)];
        let sign_in = |site: &'static str| anonymous.send(anonymous.post_request("/sign-in").header("sec-fetch-site", site).form(&form));
        sign_in("cross-site").await.expect_status(403);
        let signed_in = sign_in("same-origin").await.expect_status(303);
        let cookie = signed_in.header("set-cookie").unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let by_cookie = |request: reqwest::RequestBuilder| request.header("cookie", cookie.clone());
        anonymous.send(by_cookie(anonymous.get_request("/auth/me"))).await.expect_status(200);
        for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("sec-fetch-site", "none"),
            ("origin", "https://evil.example"), ("origin", "null"), ("x-nothing", "x")] {
            let request = by_cookie(anonymous.post_request("/auth/logout")).header(name, value);
            anonymous.send(request).await.expect_status(403);
        }
        anonymous.send(by_cookie(anonymous.post_request("/auth/logout")).header("sec-fetch-site", "same-origin")).await.expect_status(204);
        anonymous.send(by_cookie(anonymous.get_request("/auth/me"))).await.expect_status(401);
    }

    async fn repeated_wrong_passwords_return_429_with_retry_after(app: TestApp) {
        app.editor("ada").await;
        let anonymous = app.anonymous();
        let form = [("username", "ada"), ("password", "wrong wrong wrong")];
        let mut refused = None;
        for _ in 0..60 {
            let answer = anonymous.send(anonymous.post_request("/auth/token").form(&form)).await;
            if answer.status() == 429 {
                refused = Some(answer);
                break;
            }
            assert_eq!(answer.status(), 401);
        }
        let refused = refused.expect("guessing was never throttled");
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    }

    async fn sign_in_redirects_to_local_paths_only(app: TestApp) {
        app.editor("ada").await;
        let anonymous = app.anonymous();
        for next in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\tevil", "evil"] {
            let form = [("username", "ada"), ("password", PASSWORD), ("next", next)];
            let answer = anonymous.send(anonymous.post_request("/sign-in").header("sec-fetch-site", "same-origin").form(&form)).await.expect_status(303);
            assert_eq!(answer.header("location"), Some("/"), "{next}");
        }
        let form = [("username", "ada"), ("password", PASSWORD), ("next", "/account?x=1")];
        let answer = anonymous.send(anonymous.post_request("/sign-in").header("sec-fetch-site", "same-origin").form(&form)).await.expect_status(303);
        assert_eq!(answer.header("location"), Some("/account?x=1"));
    }

    async fn problem_answers_carry_a_valid_request_id(app: TestApp) {
        let answer = app.anonymous().get("/api/nothing").await.expect_status(404);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.body["request_id"].as_str(), answer.header("x-request-id"));
        let given = app.anonymous().get_request("/api/nothing").header("x-request-id", "abc-123");
        assert_eq!(app.anonymous().send(given).await.expect_status(404).header("x-request-id"), Some("abc-123"));
        let twisted = app.anonymous().get_request("/api/nothing").header("x-request-id", "a b<script>");
        assert_ne!(app.anonymous().send(twisted).await.expect_status(404).header("x-request-id"), Some("a b<script>"));
        assert_eq!(app.anonymous().send(app.anonymous().delete_request("/auth/me")).await.expect_status(405).header("allow"), Some("GET,HEAD,PATCH"));
    }
}

/// Sends a path unchanged and returns the response.
pub(crate) async fn send_raw(app: &TestApp, client: &crate::app::Client, path: &str) -> String {
    let token = client.token.as_deref().unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    raw_exchange(app, request.as_bytes()).await
}
