//! Icons, manifest, `robots.txt` and `/.well-known/`.

use server::ConfigSource;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn icons_at_fixed_paths_are_images() {
    let app = TestApp::sqlite().await;
    for (path, media_type) in [
        ("/favicon.ico", "image/vnd.microsoft.icon"),
        ("/apple-touch-icon.png", "image/png"),
        ("/apple-touch-icon-precomposed.png", "image/png"),
    ] {
        let icon = app.anonymous().get(path).await.expect_status(200);
        assert_eq!(icon.header("content-type"), Some(media_type), "{path}");
        let tag = icon.header("etag").unwrap().to_owned();
        let again = app
            .anonymous()
            .get_request(path)
            .header("if-none-match", tag);
        app.anonymous().send(again).await.expect_status(304);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manifest_names_icons_that_exist() {
    let app = TestApp::sqlite().await;
    let manifest = app
        .anonymous()
        .get("/manifest.webmanifest")
        .await
        .expect_status(200);
    assert_eq!(
        manifest.header("content-type"),
        Some("application/manifest+json")
    );
    assert_eq!(manifest.body["start_url"], "/");
    let icons = manifest.body["icons"].as_array().unwrap();
    assert_eq!(icons.len(), 3);
    for icon in icons {
        let served = app
            .anonymous()
            .get(icon["src"].as_str().unwrap())
            .await
            .expect_status(200);
        assert_eq!(served.header("content-type"), icon["type"].as_str());
    }
    let page = app.anonymous().get("/sign-in").await.expect_status(200);
    for link in [
        r#"rel="manifest" href="/manifest.webmanifest""#,
        r#"rel="apple-touch-icon""#,
        r#"href="/favicon.ico""#,
    ] {
        assert!(page.text.contains(link), "{link}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_are_disallowed_everywhere() {
    let app = TestApp::sqlite().await;
    let robots = app.anonymous().get("/robots.txt").await.expect_status(200);
    assert_eq!(robots.text, "User-agent: *\nDisallow: /\n");
    assert_eq!(
        robots.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn change_password_leads_to_the_form() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    for client in [&app.anonymous(), &ada] {
        let answer = client
            .get("/.well-known/change-password")
            .await
            .expect_status(303);
        assert_eq!(answer.header("location"), Some("/account#password-form"));
    }
    let page = ada.get("/account").await.expect_status(200);
    assert!(page.text.contains(r#"id="password-form""#));
    // A password manager asks for this one, to know whether 200 means something here.
    app.anonymous()
        .get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200")
        .await
        .expect_status(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn security_contact_is_shown_when_set() {
    let unset = TestApp::sqlite().await;
    unset
        .anonymous()
        .get("/.well-known/security.txt")
        .await
        .expect_status(404);
    let app = TestApp::with_settings(ConfigSource {
        security_contact: Some("security@example.org".to_owned()),
        ..ConfigSource::default()
    })
    .await;
    let text = app
        .anonymous()
        .get("/.well-known/security.txt")
        .await
        .expect_status(200);
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let field = |name: &str| {
        text.text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_else(|| panic!("no {name}: {}", text.text))
    };
    assert_eq!(field("Contact"), "mailto:security@example.org");
    assert_eq!(
        field("Canonical"),
        format!("{}/.well-known/security.txt", app.running.public_url)
    );
    let expires: jiff::Timestamp = field("Expires").parse().unwrap();
    let lifetime = expires.duration_since(app.now());
    assert!(
        (29 * 24..=30 * 24).contains(&lifetime.as_hours()),
        "{lifetime:?}"
    );
}
