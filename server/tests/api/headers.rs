//! Security headers of every response, on every route.

use server::ConfigSource;

use crate::app::{Client, PASSWORD, TestApp, TestResponse};

/// Every path and method of the API document and of `router.rs`. Placeholders get harmless values.
pub(crate) async fn all_routes(app: &TestApp) -> Vec<(String, String)> {
    let document = app
        .anonymous()
        .get("/openapi.json")
        .await
        .expect_status(200)
        .body;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        routes.extend(
            item.as_object()
                .unwrap()
                .keys()
                .map(|method| (method.to_uppercase(), path.clone())),
        );
    }
    let pages = include_str!("../../src/router.rs").split(".page(").skip(1);
    for page in pages {
        let mut words = page
            .split([',', '(', ')', '"'])
            .map(str::trim)
            .filter(|word| !word.is_empty());
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        if path.starts_with('/') {
            routes.push((method.to_uppercase(), path.to_owned()));
        }
    }
    assert!(routes.len() > 70, "{}", routes.len());
    let fill = |path: &str| {
        let names = [
            ("{vault}", "main"),
            ("{build}", "0"),
            ("{*path}", "css/base.css"),
        ];
        let filled = names.iter().fold(path.to_owned(), |path, (name, value)| {
            path.replace(name, value)
        });
        // The remaining placeholders name things that do not exist.
        filled
            .split('/')
            .map(|part| if part.starts_with('{') { "none" } else { part })
            .collect::<Vec<_>>()
            .join("/")
    };
    routes
        .into_iter()
        .map(|(method, path)| (method, fill(&path)))
        .collect()
}

/// Reads only the head of the response, because a stream has no end.
async fn send_for_head(client: &Client, method: &str, path: &str, accept: &str) -> TestResponse {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let response = client
        .request_builder(method, path)
        .header("accept", accept)
        .send()
        .await
        .unwrap();
    TestResponse::from_head(&response)
}

#[track_caller]
fn assert_security_headers(answer: &TestResponse, at: &str) {
    let header = |name: &str| {
        answer
            .header(name)
            .unwrap_or_else(|| panic!("{at} lacks {name}"))
    };
    assert!(
        answer.status() < 500 || answer.status() == 503,
        "{at}: {}",
        answer.status()
    );
    assert_eq!(header("x-content-type-options"), "nosniff", "{at}");
    assert_eq!(header("x-frame-options"), "DENY", "{at}");
    assert!(
        ["same-origin", "no-referrer"].contains(&header("referrer-policy")),
        "{at}"
    );
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{at}");
    assert_eq!(
        header("cross-origin-embedder-policy"),
        "require-corp",
        "{at}"
    );
    assert_eq!(
        header("cross-origin-resource-policy"),
        "same-origin",
        "{at}"
    );
    assert!(header("permissions-policy").contains("camera=()"), "{at}");
    assert_content_security_policy(header("content-security-policy"), at);
    assert_cache_control(header("cache-control"), at);
    assert_charset_and_cookies(answer, at);
}

#[track_caller]
fn assert_content_security_policy(policy: &str, at: &str) {
    for must in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(must), "{at}: {policy}");
    }
    let script = policy
        .split(';')
        .find(|part| part.trim().starts_with("script-src"))
        .unwrap_or("");
    assert!(
        !script.contains("unsafe") && !script.contains('*') && !script.contains("http"),
        "{at}: {policy}"
    );
    assert!(!policy.contains("unsafe"), "{at}: {policy}");
}

#[track_caller]
fn assert_cache_control(kept: &str, at: &str) {
    let site_files = ["/favicon.ico", "/apple-touch-icon", "/manifest.webmanifest"];
    let public = ["/assets/", "/auth/oidc/"]
        .iter()
        .chain(&site_files)
        .any(|prefix| at.contains(prefix));
    let private = kept.contains("no-store") || kept.contains("private") || kept == "no-cache";
    assert!(private || public, "{at} may be kept: {kept}");
    if !public && !at.contains("/content") && !at.ends_with("/openapi.json") {
        assert!(kept.contains("no-store"), "{at}: {kept}");
    }
}

#[track_caller]
fn assert_charset_and_cookies(answer: &TestResponse, at: &str) {
    let kind = answer.header("content-type").unwrap_or("text/event-stream");
    assert!(
        !kind.starts_with("text/")
            || kind == "text/event-stream"
            || kind.ends_with("charset=utf-8"),
        "{at}: {kind}"
    );
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly")
                && cookie.contains("Path=/")
                && cookie.contains("SameSite="),
            "{at}: {cookie}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_of_listed_routes_are_protected_and_uncached() {
    let app = TestApp::sqlite().await;
    let root = app.administrator("root").await;
    root.add("a.nc", b"x").await.expect_status(201);
    for (method, path) in all_routes(&app).await {
        // Operations that end a session get their own session.
        let caller = if path.contains("out") || path.contains("end") {
            app.sign_in("root").await
        } else {
            root.clone()
        };
        for (client, who) in [(&app.anonymous(), "nobody"), (&caller, "root")] {
            for accept in ["text/html", "application/json"] {
                assert_security_headers(
                    &send_for_head(client, &method, &path, accept).await,
                    &format!("{who}: {method} {path}"),
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a list of headers")]
async fn arbitrary_request_headers_cause_no_server_error() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.add("a.nc", b"x").await.expect_status(201);
    let names = [
        "authorization",
        "cookie",
        "content-type",
        "accept",
        "accept-encoding",
        "origin",
        "sec-fetch-site",
        "x-forwarded-for",
        "forwarded",
        "x-request-id",
        "user-agent",
        "range",
        "if-range",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "idempotency-key",
        "content-length-hint",
        "last-event-id",
        "expect",
        "dpop",
        "te",
        "x-http-method-override",
        "sec-websocket-key",
        "upgrade",
        "referer",
        "accept-language",
        "host",
    ];
    let garbage: [&[u8]; 9] = [
        b"",
        b"\xff\xfe",
        b"\xc3\x28",
        b"a=b=c;;;=;",
        b"%00%ff",
        b"Basic =",
        b"bytes=9-1,0-,-",
        b"99999999999999999999999999",
        b"\"'<>(){};:,\t",
    ];
    for name in names {
        for value in garbage {
            let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
            for path in [
                "/auth/me",
                "/api/files",
                "/api/files/a.nc/content",
                "/sign-in",
                "/",
                "/ws",
                "/api/events?since=x",
            ] {
                let bare = app.anonymous();
                for client in [&ada, &bare] {
                    let sent = client
                        .get_request(path)
                        .header(name, value.clone())
                        .send()
                        .await;
                    // Some are rejected before they are sent.
                    let Ok(answer) = sent else { continue };
                    assert!(
                        answer.status().as_u16() < 500,
                        "{name}: {value:?} on {path}: {}",
                        answer.status()
                    );
                }
            }
            let form = [("username", "ada"), ("password", "not it at all")];
            let sent = app
                .anonymous()
                .post_request("/auth/token")
                .form(&form)
                .header(name, value.clone())
                .send()
                .await;
            assert!(
                sent.is_err() || sent.unwrap().status().as_u16() < 500,
                "{name}: {value:?} on /auth/token"
            );
        }
    }
}

/// Returns the session cookie.
fn assert_host_cookies<'a>(lines: &[&'a str]) -> &'a str {
    let line = lines
        .iter()
        .find(|line| line.starts_with("__Host-strongroom="))
        .unwrap();
    let mut parts: Vec<&str> = line.split("; ").skip(1).collect();
    parts.sort_unstable();
    // RFC 6265bis §4.1.3.2: Secure, Path=/, no Domain. No Max-Age: the cookie ends with the
    // browser.
    assert_eq!(parts, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    for line in lines {
        assert!(
            line.starts_with("__Host-") && line.contains("Secure") && line.contains("HttpOnly"),
            "{line}"
        );
    }
    line.split(';').next().unwrap()
}

async fn assert_sign_out_clears_cookie(anonymous: &Client, cookie: &str) {
    let out = anonymous
        .post_request("/sign-out")
        .header("cookie", cookie)
        .header("sec-fetch-site", "same-origin");
    let out = anonymous.send(out).await.expect_status(303);
    assert_eq!(
        out.header("clear-site-data"),
        Some("\"cache\", \"storage\"")
    );
    let gone = out
        .headers
        .get_all("set-cookie")
        .iter()
        .any(|line| line.to_str().unwrap().starts_with("__Host-strongroom=;"));
    assert!(gone, "{:?}", out.headers);
    anonymous
        .send(anonymous.get_request("/auth/me").header("cookie", cookie))
        .await
        .expect_status(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn https_sets_host_cookie_and_hsts() {
    let app = TestApp::with_settings(ConfigSource {
        public_url: Some("https://strongroom.test".to_owned()),
        ..ConfigSource::default()
    })
    .await;
    app.editor("ada").await;
    let anonymous = app.anonymous();
    let form = [("username", "ada"), ("password", PASSWORD)];
    let signed_in = anonymous
        .send(
            anonymous
                .post_request("/sign-in")
                .header("sec-fetch-site", "same-origin")
                .form(&form),
        )
        .await
        .expect_status(303);
    assert!(
        signed_in
            .header("strict-transport-security")
            .unwrap()
            .starts_with("max-age=31536000")
    );
    let lines: Vec<_> = signed_in
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap())
        .collect();
    let cookie = assert_host_cookies(&lines);
    let plain = cookie.replace("__Host-", "");
    anonymous
        .send(anonymous.get_request("/auth/me").header("cookie", plain))
        .await
        .expect_status(401);
    let twice = format!("{cookie}; {cookie}");
    anonymous
        .send(anonymous.get_request("/auth/me").header("cookie", twice))
        .await
        .expect_status(400);
    assert_sign_out_clears_cookie(&anonymous, cookie).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_forms_support_password_managers_and_paste() {
    let app = TestApp::sqlite().await;
    let sign_in = app
        .anonymous()
        .get("/sign-in")
        .await
        .expect_status(200)
        .text;
    for wanted in [
        "autocomplete=\"username",
        "autocomplete=\"current-password",
        "type=\"password\"",
        "data-reveal",
    ] {
        assert!(sign_in.contains(wanted), "{wanted}");
    }
    let sign_up = app
        .anonymous()
        .get("/sign-up")
        .await
        .expect_status(200)
        .text;
    assert!(sign_up.contains("autocomplete=\"new-password") && sign_up.contains("data-reveal"));
    for page in [sign_in, sign_up] {
        assert!(
            !page.contains("onpaste") && !page.contains("autocomplete=\"off\" name=\"password\"")
        );
        assert!(
            !page.contains("<style") && !page.contains(" style=") && !page.contains("<script>"),
            "no inline script or style"
        );
    }
}
