//! The address in the browser: ports in the names of cookies, and pages at another address than
//! `public_url`.

use reqwest::RequestBuilder;
use server::config::ConfigSource;

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse, file_url},
    upstream::set_cookie_pair,
};

/// A token of the right form that belongs to no session.
const UNKNOWN: &str = "sr_ws_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn app_at(public_url: &str) -> TestApp {
    TestApp::with_settings(ConfigSource {
        public_url: Some(public_url.to_owned()),
        ..ConfigSource::default()
    })
    .await
}

async fn sign_in_on_page(anonymous: &Client, name: &str) -> TestResponse {
    let request = anonymous
        .post_request("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .form(&[("username", name), ("password", PASSWORD)]);
    anonymous.send(request).await.expect_status(303)
}

fn from_page(request: RequestBuilder, cookies: &str) -> RequestBuilder {
    request
        .header("cookie", cookies)
        .header("sec-fetch-site", "same-origin")
}

#[tokio::test(flavor = "multi_thread")]
async fn cookie_names_contain_the_port() {
    for (url, name) in [
        ("http://strongroom.test:8000", "strongroom-8000"),
        ("http://strongroom.test:8001", "strongroom-8001"),
        ("https://strongroom.test:8443", "__Host-strongroom-8443"),
        ("https://strongroom.test", "__Host-strongroom"),
    ] {
        let app = app_at(url).await;
        app.editor("ada").await;
        let anonymous = app.anonymous();
        let signed_in = sign_in_on_page(&anonymous, "ada").await;
        let cookie = set_cookie_pair(&signed_in, name).expect(url);
        let device = name.replace("strongroom", "strongroom-device");
        assert!(set_cookie_pair(&signed_in, &device).is_some(), "{device}");
        let me = anonymous.get_request("/auth/me");
        let me = anonymous
            .send(from_page(me, &cookie))
            .await
            .expect_status(200);
        assert_eq!(me.body["username"], "ada");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_cookies_do_not_hide_the_session() {
    let app = app_at("http://strongroom.test:8000").await;
    app.editor("ada").await;
    let anonymous = app.anonymous();
    let signed_in = sign_in_on_page(&anonymous, "ada").await;
    let good = set_cookie_pair(&signed_in, "strongroom-8000").unwrap();
    let former = good.replace("strongroom-8000=", "strongroom=");
    for cookies in [
        format!("strongroom-8000=junk; {good}"),
        format!("{good}; strongroom-8000=junk"),
        format!("strongroom-8000={UNKNOWN}; {good}"),
        format!("strongroom=junk; {good}; strongroom-8001={UNKNOWN}"),
        // The name in earlier versions.
        former.clone(),
        format!("strongroom=junk; {former}"),
    ] {
        let me = anonymous.get_request("/auth/me");
        let me = anonymous
            .send(from_page(me, &cookies))
            .await
            .expect_status(200);
        assert_eq!(me.body["username"], "ada", "{cookies}");
    }
    for cookies in [
        "strongroom-8000=junk",
        "strongroom=junk",
        "strongroom-8001=junk",
    ] {
        let me = anonymous.get_request("/auth/me");
        anonymous
            .send(from_page(me, cookies))
            .await
            .expect_status(401);
    }
    // Signing out removes both names.
    let sign_out = from_page(anonymous.post_request("/sign-out"), &former);
    let left = anonymous.send(sign_out).await.expect_status(303);
    for name in ["strongroom", "strongroom-8000"] {
        assert_eq!(set_cookie_pair(&left, name).unwrap(), format!("{name}="));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_two_sessions_are_ambiguous() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    app.editor("eve").await;
    let anonymous = app.anonymous();
    let mut cookies = Vec::new();
    for name in ["ada", "eve"] {
        let signed_in = sign_in_on_page(&anonymous, name).await;
        cookies.push(set_cookie_pair(&signed_in, "strongroom").unwrap());
    }
    let me = anonymous.get_request("/auth/me");
    let both = from_page(me, &cookies.join("; "));
    anonymous.send(both).await.expect_status(400);
}

const FORMS: [&str; 6] = [
    "/sign-in", "/sign-up", "/forgot", "/reset", "/join", "/first",
];

async fn page(app: &TestApp, path: &str, host: &str) -> TestResponse {
    let anonymous = app.anonymous();
    let request = anonymous
        .get_request(path)
        .header("host", host)
        .header("accept", "text/html");
    anonymous.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_at_another_address_link_to_public_url() {
    let app = app_at("https://files.example.org").await;
    let link = "<a href=\"https://files.example.org\">";
    for path in FORMS {
        for host in [
            "127.0.0.1:8000",
            "localhost:8000",
            "files.example.org:8000",
            "192.168.1.20",
            "[::1]:8000",
        ] {
            let shown = page(&app, path, host).await.expect_status(200);
            assert!(shown.text.contains(link), "{path} at {host}");
        }
        for host in ["files.example.org", "FILES.example.org:443"] {
            let shown = page(&app, path, host).await.expect_status(200);
            assert!(!shown.text.contains("another address"), "{path} at {host}");
        }
    }
    let plain = app_at("http://files.example.org").await;
    let shown = page(&plain, "/sign-in", "192.168.1.20")
        .await
        .expect_status(200);
    assert!(
        !shown.text.contains("another address"),
        "sign-in works there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_at_another_address_links_to_public_url() {
    let app = app_at("https://files.example.org").await;
    app.editor("ada").await;
    let anonymous = app.anonymous();
    let post = |host: &'static str, origin: &'static str, accept: &'static str| {
        anonymous
            .post_request("/sign-in")
            .header("host", host)
            .header("origin", origin)
            .header("accept", accept)
            .form(&[("username", "ada"), ("password", PASSWORD)])
    };
    let here = "http://127.0.0.1:8000";
    let page = post("127.0.0.1:8000", here, "text/html");
    let page = anonymous.send(page).await.expect_status(403);
    assert!(page.text.contains("href=\"https://files.example.org\""));
    assert!(!page.text.contains("another site") && !page.text.contains("administrator"));
    let program = post("127.0.0.1:8000", here, "application/json");
    let program = anonymous.send(program).await.expect_status(403);
    assert_eq!(
        program.body["detail"],
        "This server is at https://files.example.org. Pages that are opened at another address \
         cannot send forms."
    );
    // A name that is not served at all.
    let elsewhere = post("files.example.com", "http://files.example.com", "text/html");
    let elsewhere = anonymous.send(elsewhere).await.expect_status(421);
    assert!(
        elsewhere
            .text
            .contains("href=\"https://files.example.org\"")
    );
    // Another site, at the right address.
    let forged = post("files.example.org", "https://evil.example", "text/html");
    let forged = anonymous.send(forged).await.expect_status(403);
    assert!(forged.text.contains("another site"));
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_decides_whether_the_address_is_right() {
    let app = TestApp::with_settings(ConfigSource {
        public_url: Some("https://files.example.org".to_owned()),
        trusted_proxies: Some(vec![[127, 0, 0, 1].into()]),
        ..ConfigSource::default()
    })
    .await;
    let anonymous = app.anonymous();
    for (proto, is_hinted) in [("https", false), ("http", true)] {
        let request = anonymous
            .get_request("/sign-in")
            .header("host", "127.0.0.1:8000")
            .header("x-forwarded-proto", proto);
        let shown = anonymous.send(request).await.expect_status(200);
        assert_eq!(shown.text.contains("another address"), is_hinted, "{proto}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filenames_with_joiners_are_stored_once() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    for (name, other) in [
        ("نقشه\u{200c}ها.step", "نقشهها.step"),
        ("👩\u{200d}💻.step", "👩💻.step"),
    ] {
        ada.add(name, b"one").await.expect_status(201);
        assert_eq!(ada.content(name).await, b"one");
        let refused = ada.add(other, b"two").await.expect_status(409);
        assert!(refused.body["detail"].as_str().unwrap().contains(name));
        ada.get(&file_url(other, "")).await.expect_status(200);
    }
    for name in ["a\u{200c}b.step", "a\u{200d}b.step", "نقشه\u{200c}.step"] {
        ada.add(name, b"x").await.expect_status(422);
    }
}
