//! The descriptions of the service match it.

use serde_json::{Value, json};
use server::ConfigSource;

use crate::{app::TestApp, both};

#[tokio::test(flavor = "multi_thread")]
async fn openapi_document_matches_its_snapshot() {
    let app = TestApp::sqlite().await;
    let document = app
        .anonymous()
        .get("/openapi.json")
        .await
        .expect_status(200)
        .body;
    assert_eq!(document["openapi"], "3.1.0");
    insta::assert_json_snapshot!("openapi", document);
}

/// A generated client would fail on a reference that does not resolve.
#[tokio::test(flavor = "multi_thread")]
async fn openapi_references_resolve() {
    let document = TestApp::sqlite()
        .await
        .anonymous()
        .get("/openapi.json")
        .await
        .expect_status(200);
    let references = document
        .text
        .split("\"$ref\":\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    let nowhere: std::collections::BTreeSet<&str> = references
        .filter(|reference| document.body.pointer(reference).is_none())
        .collect();
    assert!(nowhere.is_empty(), "{nowhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn api_page_loads_only_own_assets() {
    let app = TestApp::sqlite().await;
    let page = app.anonymous().get("/docs").await.expect_status(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self';") && policy.contains("style-src 'self';"));
    assert!(!page.text.contains("https://"), "{}", page.text);
    let assets: Vec<&str> = page
        .text
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
        .collect();
    for name in ["/css/docs.css", "/js/docs/page.js"] {
        assert!(assets.iter().any(|asset| asset.ends_with(name)), "{name}");
    }
    for asset in assets {
        app.anonymous().get(asset).await.expect_status(200);
    }
    for path in ["/docs/..%2f..%2fCargo.toml", "/docs/index.html"] {
        app.anonymous().get(path).await.expect_status(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn api_page_names_its_viewer() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let page = ada.get("/docs").await.expect_status(200);
    assert!(
        page.text
            .contains("Requests are sent as ada, with the session")
    );
    let page = app.anonymous().get("/docs").await.expect_status(200);
    assert!(page.text.contains("You are not signed in."));
}

#[tokio::test(flavor = "multi_thread")]
async fn local_peer_without_token_reads_no_metrics() {
    let app = TestApp::sqlite().await;
    let anonymous = app.anonymous();
    anonymous.get("/health/live").await.expect_status(200);
    anonymous.get("/health/ready").await.expect_status(200);
    let refused = anonymous.get("/metrics").await.expect_status(401);
    assert!(!refused.text.contains("strongroom_"), "{}", refused.text);
    // A proxy whose headers say that the client is local.
    for name in ["x-forwarded-for", "x-real-ip", "forwarded"] {
        let forwarded = anonymous.get_request("/metrics").header(name, "127.0.0.1");
        anonymous.send(forwarded).await.expect_status(401);
    }
    let ada = app.editor("ada").await;
    ada.get("/metrics").await.expect_status(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_token_of_settings_reads_only_metrics() {
    let token = "0123456789abcdef0123456789abcdef";
    let app = TestApp::with_settings(ConfigSource {
        metrics_token: Some(token.to_owned().into()),
        ..ConfigSource::default()
    })
    .await;
    let reader = app.anonymous();
    let read = |authorization: String| {
        reader.send(
            reader
                .get_request("/metrics")
                .header("authorization", authorization),
        )
    };
    for scheme in ["Bearer", "bearer"] {
        let metrics = read(format!("{scheme} {token}")).await.expect_status(200);
        assert!(metrics.text.contains("strongroom_"), "{}", metrics.text);
    }
    for wrong in [
        format!("Bearer {}", &token[1..]),
        format!("Bearer {token}0"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {token}"),
        token.to_owned(),
    ] {
        read(wrong).await.expect_status(401);
    }
    let root = app.administrator("root").await;
    root.get("/metrics").await.expect_status(200);
    for path in ["/auth/me", "/api/users", "/api/files"] {
        let other = reader.get_request(path).bearer_auth(token);
        reader.send(other).await.expect_status(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_carry_browser_security_headers() {
    let app = TestApp::sqlite().await;
    for (path, status) in [
        ("/sign-in", 200),
        ("/sign-up", 200),
        ("/auth/me", 401),
        ("/api/files", 401),
        ("/nothing", 404),
        ("/docs", 200),
        ("/openapi.json", 200),
    ] {
        let answer = app.anonymous().get(path).await.expect_status(status);
        for name in [
            "content-security-policy",
            "x-content-type-options",
            "referrer-policy",
            "permissions-policy",
            "cross-origin-opener-policy",
        ] {
            assert!(answer.header(name).is_some(), "{path} lacks {name}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            !policy.contains("script-src 'self' 'unsafe")
                && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
}

both! {
    async fn added_file_answers_tag_and_location(app: TestApp) {
        let ada = app.editor("ada").await;
        let added = ada.add("fixtures/vise 1.step", b"one").await.expect_status(201);
        let tag = format!("\"{}\"", added.body["sha256"].as_str().unwrap());
        assert_eq!(added.header("etag"), Some(tag.as_str()));
        let location = "/api/vaults/main/files/fixtures%2Fvise%201.step";
        assert_eq!(added.header("location"), Some(location));
        let shown = ada.get(location).await.expect_status(200);
        assert_eq!(shown.body["filename"], "fixtures/vise 1.step");
    }

    async fn checked_in_file_answers_tag_and_location(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("a.nc", b"one").await.expect_status(201);
        ada.check_out("a.nc").await.expect_status(200);
        let done = ada.check_in("a.nc", b"two", "second").await.expect_status(200);
        let tag = format!("\"{}\"", done.body["sha256"].as_str().unwrap());
        assert_eq!(done.header("etag"), Some(tag.as_str()));
        assert_eq!(done.header("location"), Some("/api/vaults/main/files/a.nc"));
    }
}

/// The words of a schema of the API document.
fn words(document: &Value, schema: &str) -> Vec<String> {
    let words = document["components"]["schemas"][schema]["enum"].as_array();
    words
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn documented_words_are_those_of_the_domain() {
    let document = server::operations::openapi();
    let roles = words(&document, "Role");
    assert_eq!(roles, ["viewer", "editor", "manager"]);
    for role in roles {
        assert_eq!(auth::Role::parse(&role).unwrap().as_str(), role);
    }
    let kinds = vault::RevisionKind::ALL.map(vault::RevisionKind::as_str);
    assert_eq!(words(&document, "RevisionKind"), kinds);
}

#[test]
fn query_parameter_vault_is_documented() {
    let document = server::operations::openapi();
    let parameters = document["paths"]["/api/audit"]["get"]["parameters"].as_array();
    let named = |one: &&Value| one["name"] == "vault" && one["in"] == "query";
    assert_eq!(parameters.unwrap().iter().filter(named).count(), 1);
}

#[test]
fn operations_name_the_scope_they_need() {
    let document = server::operations::openapi();
    let security = |method: &str, path: &str| document["paths"][path][method]["security"].clone();
    let files = "/api/vaults/{vault}/files";
    assert_eq!(security("get", files), json!([{"oauth2": ["files:read"]}]));
    assert_eq!(
        security("get", "/api/users"),
        json!([{"oauth2": ["admin"]}])
    );
    assert_eq!(security("get", "/auth/me"), json!([{"oauth2": []}]));
    assert_eq!(security("post", "/auth/token"), json!([]));
}
