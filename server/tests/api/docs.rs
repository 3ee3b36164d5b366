//! The descriptions of the service match it.

use crate::app::TestApp;

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
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("script-src 'self'")
    );
    assert!(!page.text.contains("https://"), "{}", page.text);
    for part in page
        .text
        .split('"')
        .filter(|part| part.starts_with("/docs/"))
    {
        app.anonymous().get(part).await.expect_status(200);
    }
    assert!(page.text.contains("/docs/swagger-ui-bundle.js"));
    app.anonymous()
        .get("/docs/..%2f..%2fCargo.toml")
        .await
        .expect_status(404);
    app.anonymous()
        .get("/docs/index.html")
        .await
        .expect_status(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_served_and_metrics_only_without_proxy() {
    let app = TestApp::sqlite().await;
    let anonymous = app.anonymous();
    anonymous.get("/health/live").await.expect_status(200);
    anonymous.get("/health/ready").await.expect_status(200);
    assert!(
        anonymous
            .get("/metrics")
            .await
            .expect_status(200)
            .text
            .contains("strongroom_")
    );
    for name in [
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-real-ip",
        "forwarded",
        "via",
    ] {
        let forwarded = anonymous
            .get_request("/metrics")
            .header(name, "203.0.113.7");
        anonymous.send(forwarded).await.expect_status(403);
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
