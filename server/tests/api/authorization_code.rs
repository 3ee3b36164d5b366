//! The authorization code grant (RFC 6749 §4.1, RFC 7636, RFC 8252, RFC 9207).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use server::{ConfigSource, config::ClientSection};

use crate::{
    accounts::with_scope,
    app::{Client, PASSWORD, TestApp, TestResponse},
    both, personal_tokens,
};

// RFC 7636, appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";

fn authorization_request() -> Value {
    json!({
        "client_id": "strongroom-cli", "redirect_uri": REDIRECT_URI, "response_type": "code", "scope": "files:read",
        "state": "a b&c=d", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    })
}

fn authorization_request_with(member: &str, value: Value) -> Value {
    let mut asked = authorization_request();
    asked[member] = value;
    asked
}

/// The URL of the consent page.
fn authorize_url(asked: &Value) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in asked.as_object().unwrap() {
        if let Some(value) = value.as_str() {
            pairs.append_pair(name, value);
        }
    }
    format!("/auth/authorize?{}", pairs.finish())
}

/// The query parameters of a redirect.
fn redirect_params(location: &str) -> std::collections::HashMap<String, String> {
    assert!(
        location.starts_with(&format!("{REDIRECT_URI}?")),
        "{location}"
    );
    form_urlencoded::parse(location.split_once('?').unwrap().1.as_bytes())
        .into_owned()
        .collect()
}

async fn submit_decision(person: &Client, mut asked: Value, decision: &str) -> TestResponse {
    asked["decision"] = json!(decision);
    person.post("/auth/authorize", asked).await
}

async fn authorization_code(person: &Client) -> String {
    let answer = submit_decision(person, authorization_request(), "approve")
        .await
        .expect_status(200);
    redirect_params(answer.body["redirect_to"].as_str().unwrap())["code"].clone()
}

async fn exchange_code(app: &TestApp, code: &str, change: (&str, &str)) -> TestResponse {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", "strongroom-cli"),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    form.retain(|(name, _)| *name != change.0);
    form.push(change);
    let anonymous = app.anonymous();
    anonymous
        .send(anonymous.post_request("/auth/token").form(&form))
        .await
}

both! {
    async fn authorization_code_with_verifier_yields_tokens(app: TestApp) {
        let ada = app.editor("ada").await;
        let page = ada.send(ada.get_request(&authorize_url(&authorization_request())).header("accept", "text/html")).await.expect_status(200);
        assert!(page.text.contains("Strongroom on the command line") && page.text.contains("127.0.0.1:49152"), "{}", page.text);
        assert!(page.text.contains("files:read") && !page.text.contains("locks:override"));
        let answer = submit_decision(&ada, authorization_request(), "approve").await.expect_status(200);
        let answer = redirect_params(answer.body["redirect_to"].as_str().unwrap());
        assert_eq!((answer["state"].as_str(), answer["iss"].as_str()), ("a b&c=d", "http://strongroom.test"));
        let tokens = exchange_code(&app, &answer["code"], ("", "")).await.expect_status(200);
        assert_eq!(tokens.body["scope"], "files:read");
        let program = Client { token: tokens.body["access_token"].as_str().map(str::to_owned), ..app.anonymous() };
        assert_eq!(program.get("/auth/me").await.expect_status(200).body["username"], "ada");
        program.add("a.nc", b"x").await.expect_status(403);
        program.get("/auth/sessions").await.expect_status(403);
        assert_eq!(submit_decision(&program, authorization_request(), "approve").await.status(), 403);
        let script = personal_tokens::token_client(&ada, json!(["files:read"]), Value::Null).await;
        assert_eq!(submit_decision(&script, authorization_request(), "approve").await.status(), 403);
    }

    async fn authorization_code_is_bound_to_client_redirect_verifier(app: TestApp) {
        let ada = app.editor("ada").await;
        for change in [
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"), ("code_verifier", CHALLENGE), ("code_verifier", "x"),
            ("client_id", "unheard-of"), ("redirect_uri", "http://127.0.0.1:49153/callback"), ("redirect_uri", "http://127.0.0.1/callback"),
        ] {
            let code = authorization_code(&ada).await;
            let refused = exchange_code(&app, &code, change).await.expect_status(400);
            assert_eq!(refused.body["error"], "invalid_grant", "{change:?}");
            // The failed exchange invalidates the code.
            exchange_code(&app, &code, ("", "")).await.expect_status(400);
        }
        let code = authorization_code(&ada).await;
        for missing in ["code", "client_id", "redirect_uri", "code_verifier"] {
            assert_eq!(exchange_code(&app, &code, (missing, "")).await.expect_status(400).body["error"], "invalid_request");
        }
        exchange_code(&app, &code, ("", "")).await.expect_status(200);
        assert_eq!(ada.get("/auth/sessions").await.expect_status(200).body.as_array().unwrap().len(), 2);
    }

    async fn authorization_code_is_invalid_after_ending_other_sessions(app: TestApp) {
        let ada = app.editor("ada").await;
        let before = authorization_code(&ada).await;
        ada.post("/auth/sessions/end-others", Value::Null).await.expect_status(200);
        assert_eq!(exchange_code(&app, &before, ("", "")).await.expect_status(400).body["error"], "invalid_grant");
        exchange_code(&app, &authorization_code(&ada).await, ("", "")).await.expect_status(200);
    }

    async fn wrong_verifier_racing_correct_one_leaves_no_session(app: TestApp) {
        let ada = app.editor("ada").await;
        for _ in 0..20 {
            let code = authorization_code(&ada).await;
            let wrong = exchange_code(&app, &code, ("code_verifier", CHALLENGE));
            let (right, wrong) = tokio::join!(exchange_code(&app, &code, ("", "")), wrong);
            wrong.expect_status(400);
            let right = right.expect_status_in(&[200, 400]);
            // There is no token if the wrong verifier came first.
            let token = right.body["access_token"].as_str().map(str::to_owned);
            assert_eq!(token.is_some(), right.status() == 200);
            Client { token, ..app.anonymous() }.get("/auth/me").await.expect_status(401);
            exchange_code(&app, &code, ("", "")).await.expect_status(400);
        }
        assert_eq!(ada.get("/auth/sessions").await.expect_status(200).body.as_array().unwrap().len(), 1);
    }

    async fn refresh_token_of_a_client_rejects_other_clients(app: TestApp) {
        let ada = app.editor("ada").await;
        let renew = async |token: &Value, client: &str| {
            let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap()), ("client_id", client)];
            ada.send(app.anonymous().post_request("/auth/token").form(&form[..if client.is_empty() { 2 } else { 3 }])).await
        };
        let first = exchange_code(&app, &authorization_code(&ada).await, ("", "")).await.expect_status(200).body;
        assert_eq!(renew(&first["refresh_token"], "somebody-else").await.expect_status(400).body["error"], "invalid_grant");
        let second = renew(&first["refresh_token"], "").await.expect_status(200).body;
        let third = renew(&second["refresh_token"], "strongroom-cli").await.expect_status(200).body;
        for token in ["access_token", "refresh_token"] {
            let look = ada.send(ada.post_request("/auth/introspect").form(&[("token", third[token].as_str().unwrap())])).await.expect_status(200);
            assert_eq!(look.body["client_id"], "strongroom-cli", "{token}");
        }
        // Tokens of the password grant belong to no client, so any client can refresh them.
        renew(&json!(ada.refresh), "strongroom-cli").await.expect_status(200);
    }

    async fn authorization_code_expires_after_a_minute(app: TestApp) {
        let ada = app.editor("ada").await;
        let (early, late) = (authorization_code(&ada).await, authorization_code(&ada).await);
        app.advance_clock(Duration::from_secs(55));
        exchange_code(&app, &early, ("", "")).await.expect_status(200);
        app.advance_clock(Duration::from_secs(5));
        assert_eq!(exchange_code(&app, &late, ("", "")).await.expect_status(400).body["error"], "invalid_grant");
    }

    async fn replayed_authorization_code_ends_its_session(app: TestApp) {
        let ada = app.editor("ada").await;
        let code = authorization_code(&ada).await;
        let tokens = exchange_code(&app, &code, ("", "")).await.expect_status(200);
        let program = Client { token: tokens.body["access_token"].as_str().map(str::to_owned), ..app.anonymous() };
        program.get("/auth/me").await.expect_status(200);
        app.advance_clock(Duration::from_mins(20));
        // A second exchange fails with or without the verifier.
        exchange_code(&app, &code, ("code_verifier", CHALLENGE)).await.expect_status(400);
        program.get("/auth/me").await.expect_status(401);
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.body["refresh_token"].as_str().unwrap())];
        program.send(app.anonymous().post_request("/auth/token").form(&form)).await.expect_status(400);
        ada.get("/auth/me").await.expect_status(200);
    }

    async fn parallel_authorization_code_uses_leave_no_client_session(app: TestApp) {
        let ada = app.editor("ada").await;
        let code = authorization_code(&ada).await;
        let uses: Vec<_> = (0..10).map(|_| exchange_code(&app, &code, ("", ""))).collect();
        let answers = futures_util::future::join_all(uses).await;
        assert!(answers.iter().filter(|answer| answer.status() == 200).count() <= 1);
        assert!(answers.iter().all(|answer| matches!(answer.status(), 200 | 400)));
        // The code was used twice, so its tokens are revoked.
        assert_eq!(ada.get("/auth/sessions").await.expect_status(200).body.as_array().unwrap().len(), 1);
    }

    async fn authorization_code_is_invalid_after_sign_out(app: TestApp) {
        let ada = app.editor("ada").await;
        let code = authorization_code(&ada).await;
        ada.post("/auth/logout", Value::Null).await.expect_status(204);
        exchange_code(&app, &code, ("", "")).await.expect_status(400);
    }

    async fn unregistered_redirect_uri_is_never_redirected_to(app: TestApp) {
        let ada = app.editor("ada").await;
        for asked in [
            authorization_request_with("redirect_uri", json!("https://evil.example/callback")), authorization_request_with("redirect_uri", json!("http://127.0.0.1:1@evil.example/callback")),
            authorization_request_with("redirect_uri", json!("http://[::1]@evil.example/callback")), authorization_request_with("redirect_uri", json!("http://[::1]a:b@evil.example:8443/callback")),
            authorization_request_with("redirect_uri", json!("http://[::1]\r\nx: y/callback")), authorization_request_with("redirect_uri", json!("http://[::1].evil.example/callback")),
            authorization_request_with("redirect_uri", json!("http://127.0.0.1:49152/callback/../evil")), authorization_request_with("redirect_uri", json!("//evil.example")),
            authorization_request_with("redirect_uri", json!("javascript:alert(1)")), authorization_request_with("redirect_uri", json!("/\\evil.example")), authorization_request_with("redirect_uri", json!("")),
            authorization_request_with("redirect_uri", json!("http://127.0.0.1:49152/callback#x")), authorization_request_with("redirect_uri", Value::Null),
            authorization_request_with("client_id", json!("unheard-of")), authorization_request_with("client_id", Value::Null), authorization_request_with("redirect_uri", json!("http://localhost:49152/callback")),
        ] {
            for client in [&ada, &app.anonymous()] {
                let page = client.send(client.get_request(&authorize_url(&asked)).header("accept", "text/html")).await.expect_status(400);
                assert_eq!((page.header("location"), page.header("content-type")), (None, Some("text/html; charset=utf-8")), "{asked}");
            }
            let said = submit_decision(&ada, asked.clone(), "approve").await;
            assert!(matches!(said.status(), 400 | 422) && said.body["redirect_to"].is_null(), "{asked}: {}", said.text);
        }
        // A repeated parameter is ambiguous.
        let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example", authorize_url(&authorization_request()));
        ada.get(&twice).await.expect_status(400);
    }

    async fn authorization_errors_are_sent_to_the_redirect_uri(app: TestApp) {
        let ada = app.editor("ada").await;
        for (asked, error) in [
            (authorization_request_with("response_type", json!("token")), "unsupported_response_type"), (authorization_request_with("response_type", Value::Null), "unsupported_response_type"),
            (authorization_request_with("response_mode", json!("fragment")), "invalid_request"), (authorization_request_with("response_mode", json!("form_post")), "invalid_request"),
            (authorization_request_with("scope", json!("account")), "invalid_scope"), (authorization_request_with("scope", json!("everything")), "invalid_scope"),
            (authorization_request_with("code_challenge", Value::Null), "invalid_request"), (authorization_request_with("code_challenge_method", json!("plain")), "invalid_request"),
            (authorization_request_with("code_challenge_method", Value::Null), "invalid_request"), (authorization_request_with("code_challenge", json!("short")), "invalid_request"),
        ] {
            let sent = ada.get(&authorize_url(&asked)).await.expect_status(303);
            let said = submit_decision(&ada, asked.clone(), "approve").await.expect_status(200);
            for location in [sent.header("location").unwrap(), said.body["redirect_to"].as_str().unwrap()] {
                let params = redirect_params(location);
                assert_eq!((params["error"].as_str(), params["state"].as_str(), params["iss"].as_str()), (error, "a b&c=d", "http://strongroom.test"));
                assert!(!params.contains_key("code"));
            }
        }
        ada.get(&authorize_url(&authorization_request_with("response_mode", json!("query")))).await.expect_status(200);
        let denied = submit_decision(&ada, authorization_request(), "deny").await.expect_status(200);
        assert_eq!(redirect_params(denied.body["redirect_to"].as_str().unwrap())["error"], "access_denied");
    }

    async fn client_scope_cannot_exceed_the_approving_token(app: TestApp) {
        let narrow = with_scope(&app.administrator("root").await, "files:read account").await;
        for scope in ["admin", "files:read admin", "files:write"] {
            let answer = submit_decision(&narrow, authorization_request_with("scope", json!(scope)), "approve").await.expect_status(200);
            let answer = redirect_params(answer.body["redirect_to"].as_str().unwrap());
            assert_eq!((answer["error"].as_str(), answer.get("code")), ("invalid_scope", None), "{scope}");
        }
        authorization_code(&narrow).await;
    }

    async fn consent_requires_recent_sign_in_and_same_origin(app: TestApp) {
        let ada = app.editor("ada").await;
        let anonymous = app.anonymous();
        let sent = anonymous.get(&authorize_url(&authorization_request())).await.expect_status(303);
        let next = sent.header("location").unwrap().strip_prefix("/sign-in?").unwrap().to_owned();
        let next = form_urlencoded::parse(next.as_bytes()).next().unwrap().1.into_owned();
        assert_eq!(next, authorize_url(&authorization_request()));
        assert_eq!(submit_decision(&anonymous, authorization_request(), "approve").await.status(), 401);
        let form = [("username", "ada"), ("password", PASSWORD), ("next", &next)];
        let signed_in = anonymous.send(anonymous.post_request("/sign-in").header("sec-fetch-site", "same-origin").form(&form)).await.expect_status(303);
        assert_eq!(signed_in.header("location"), Some(next.as_str()));
        let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let mut body = authorization_request();
        body["decision"] = json!("approve");
        for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200)] {
            let request = anonymous.request_builder(Method::POST, "/auth/authorize").header("cookie", &cookie).header("sec-fetch-site", site);
            anonymous.send(request.json(&body)).await.expect_status(status);
        }
        app.advance_clock(Duration::from_mins(11));
        assert_eq!(submit_decision(&ada, authorization_request(), "approve").await.expect_status(401).body["error"], "insufficient_user_authentication");
        submit_decision(&ada, authorization_request(), "deny").await.expect_status(200);
    }

    async fn server_metadata_lists_authorization_endpoints_and_grants(app: TestApp) {
        let known = app.anonymous().get("/.well-known/oauth-authorization-server").await.expect_status(200).body;
        assert_eq!(known["issuer"], "http://strongroom.test");
        assert_eq!(known["authorization_endpoint"], "http://strongroom.test/auth/authorize");
        assert_eq!(known["device_authorization_endpoint"], "http://strongroom.test/auth/device");
        assert_eq!((&known["code_challenge_methods_supported"], &known["response_types_supported"]), (&json!(["S256"]), &json!(["code"])));
        assert_eq!(known["authorization_response_iss_parameter_supported"], true);
        assert_eq!(known["grant_types_supported"], json!(["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token", "password"]));
    }

    async fn sign_in_never_redirects_to_another_host(app: TestApp) {
        app.editor("ada").await;
        let anonymous = app.anonymous();
        let sign_in = |next: &str| {
            let form = [("username", "ada"), ("password", PASSWORD), ("next", next)];
            anonymous.send(anonymous.post_request("/sign-in").header("sec-fetch-site", "same-origin").form(&form))
        };
        let cookie = sign_in("/").await.expect_status(303).header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        for next in [
            "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b",
            "https://evil.example", "HTTPS:evil.example", "javascript:alert(1)", " //evil.example", "\u{1}//evil.example", "evil.example",
            "@evil.example", ".evil.example", "/\u{85}/evil.example",
        ] {
            assert_eq!(sign_in(next).await.expect_status(303).header("location"), Some("/"), "{next:?}");
            let query: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            let again = anonymous.get_request(&format!("/sign-in?next={query}")).header("cookie", &cookie);
            assert_eq!(anonymous.send(again).await.expect_status(303).header("location"), Some("/"), "{next:?}");
            // The form does not contain it either.
            let page = anonymous.get(&format!("/sign-in?next={query}")).await.expect_status(200);
            assert!(page.text.contains("name=\"next\" value=\"/\""), "{next:?}");
        }
        // Encoded again, these are paths of this server and stay unchanged.
        for next in ["/%2F%2Fevil.example", "/%5Cevil.example", "/.//evil.example", "/v/main?to=//evil.example"] {
            let location = sign_in(next).await.expect_status(303).header("location").unwrap().to_owned();
            let url = reqwest::Url::parse("http://ours.example/sign-in").unwrap().join(&location).unwrap();
            assert_eq!(url.host_str(), Some("ours.example"), "{next}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registered_client_uses_its_own_redirect_uris() {
    let section = ClientSection {
        id: "cam".to_owned(),
        name: "CAM <b>".to_owned(),
        redirect_uris: vec![
            "https://cam.example/back?x=1".to_owned(),
            "org.example.cam:/back".to_owned(),
        ],
    };
    let app = TestApp::with_settings(ConfigSource {
        clients: Some(vec![section]),
        ..ConfigSource::default()
    })
    .await;
    let ada = app.editor("ada").await;
    let mut asked = authorization_request_with("client_id", json!("cam"));
    for uri in ["https://cam.example/back?x=1", "org.example.cam:/back"] {
        asked["redirect_uri"] = json!(uri);
        let page = ada
            .send(
                ada.get_request(&authorize_url(&asked))
                    .header("accept", "text/html"),
            )
            .await
            .expect_status(200);
        assert!(
            page.text.contains("CAM &#60;b&#62;") && !page.text.contains("<b>"),
            "{}",
            page.text
        );
        let answer = submit_decision(&ada, asked.clone(), "approve")
            .await
            .expect_status(200);
        let to = answer.body["redirect_to"].as_str().unwrap();
        let separator = if uri.contains('?') { '&' } else { '?' };
        assert!(
            to.starts_with(&format!("{uri}{separator}code=sr_ac_")),
            "{to}"
        );
    }
    asked["redirect_uri"] = json!(REDIRECT_URI);
    ada.get(&authorize_url(&asked)).await.expect_status(400);
}
