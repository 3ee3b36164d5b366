//! HTTP itself: methods, ambiguous message lengths, oversized numbers, duplicate members.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    app::{PASSWORD, TestApp, file_url},
    attacks::send_raw,
    headers::all_routes,
};

/// Sends bytes unchanged, and reads all responses until the server closes or is silent.
pub(crate) async fn raw_exchange(app: &TestApp, request: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(app.address()).await.unwrap();
    // The server may close before the whole request is sent.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let mut read = async || -> std::io::Result<()> {
        let mut chunk = vec![0; 16 * 1024];
        loop {
            match stream.read(&mut chunk).await? {
                0 => return Ok(()),
                n => answer.extend_from_slice(&chunk[..n]),
            }
        }
    };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), read()).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(answers: &str) -> Vec<&str> {
    answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_http_methods_return_405() {
    let app = TestApp::sqlite().await;
    let root = app.administrator("root").await;
    let mut paths: Vec<String> = all_routes(&app)
        .await
        .into_iter()
        .map(|(_, path)| path)
        .collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        for method in ["TRACE", "FOO", "PROPFIND", "OPTIONS"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let request = root
                .request_builder(method.clone(), &path)
                .header("x-secret", "not to be echoed");
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method} {path}");
            let allowed = answer.headers()["allow"].to_str().unwrap().to_owned();
            assert!(
                !allowed.is_empty() && !allowed.contains("TRACE"),
                "{method} {path}: {allowed}"
            );
            assert!(
                !answer.text().await.unwrap().contains("not to be echoed"),
                "{method} {path}"
            );
        }
    }
    let tunnel = raw_exchange(
        &app,
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n",
    )
    .await;
    assert_eq!(statuses(&tunnel)[0], "421", "{tunnel}");
    // Method override headers are ignored.
    root.add("a.nc", b"x").await.expect_status(201);
    let disguised = root
        .post_request(&file_url("a.nc", ""))
        .header("x-http-method-override", "DELETE");
    root.send(disguised).await.expect_status(405);
    root.get(&file_url("a.nc", "")).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_versions_other_than_1_1_are_rejected() {
    let app = TestApp::sqlite().await;
    // RFC 9113: preface, empty settings, and `GET /health/live` of localhost on the first stream.
    let fields = b"\x82\x86\x04\x0c/health/live\x01\x09localhost";
    let head = [0, 0, u8::try_from(fields.len()).unwrap(), 1, 5, 0, 0, 0, 1];
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let answer = raw_exchange(&app, &[&preface[..], &head, fields].concat()).await;
    assert!(
        answer.contains(r#""status":505"#) && answer.contains("This server supports HTTP/1.1 only"),
        "{answer:?}"
    );
    let upgrade =
        b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, http2-settings\r\n\
        upgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    let answer = raw_exchange(&app, upgrade).await;
    assert_eq!(statuses(&answer), ["200"], "{answer:?}");
    assert_eq!(
        statuses(&raw_exchange(&app, b"GET /health/live HTTP/0.9\r\n\r\n").await),
        ["400"]
    );
}

/// The ends of a head and the body, which contains `hidden`, with what is wrong.
fn ambiguous_lengths(hidden: &str) -> [(String, &'static str); 11] {
    let length = hidden.len() + 5;
    [
        (
            format!(
                "content-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
            ),
            "chunks end it",
        ),
        (
            format!(
                "transfer-encoding: chunked\r\ncontent-length: {length}\r\n\r\n0\r\n\r\n{hidden}"
            ),
            "chunks end it",
        ),
        (
            format!("content-length: 0\r\ncontent-length: {length}\r\n\r\n{hidden}"),
            "two length headers",
        ),
        (
            format!("content-length: 0, {length}\r\n\r\n{hidden}"),
            "two lengths in one header",
        ),
        (
            format!("transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"),
            "chunked is not the last encoding",
        ),
        (
            format!("transfer-encoding: xchunked\r\ncontent-length: 0\r\n\r\n{hidden}"),
            "an unknown encoding",
        ),
        (
            format!("transfer-encoding: chunked\r\n\r\n-1\r\n\r\n{hidden}"),
            "a negative chunk size",
        ),
        (
            format!("transfer-encoding: chunked\r\n\r\nffffffffffffffff0\r\n\r\n{hidden}"),
            "an overflowing chunk size",
        ),
        (
            format!("content-length: -1\r\n\r\n{hidden}"),
            "a negative length",
        ),
        (
            format!("content-length: 18446744073709551616\r\n\r\n{hidden}"),
            "an overflowing length",
        ),
        (
            format!("content-length : 0\r\n\r\n{hidden}"),
            "a space before the colon",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_message_length_smuggles_no_request() {
    let app = TestApp::sqlite().await;
    let hidden = "GET /auth/me HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let head =
        "POST /auth/register HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n";
    for (ends, why) in ambiguous_lengths(hidden) {
        let answers = raw_exchange(&app, format!("{head}{ends}").as_bytes()).await;
        let statuses = statuses(&answers);
        if why == "chunks end it" {
            // RFC 9112 §6.3: the chunks decide the length. The bytes after them are a second
            // request of the same client, which is answered as such or not at all. The content
            // length never hides them in a body.
            assert!(
                statuses == ["422", "401"] || statuses == ["422"] || statuses == ["400"],
                "{why}: {answers}"
            );
        } else {
            assert!(
                statuses
                    .first()
                    .is_some_and(|status| ["400", "422"].contains(status)),
                "{why}: {answers}"
            );
            assert_eq!(statuses.len(), 1, "{why}: {answers}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_range_numbers_are_rejected() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.add("a.nc", b"0123456789").await.expect_status(201);
    let over = [
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "1e3",
        "0x10",
        "",
    ];
    for number in over {
        for path in [
            format!("/api/files?limit={number}"),
            format!("/api/changes?after={number}x"),
            file_url("a.nc", &format!("/content?revision={number}")),
            file_url("a.nc", &format!("/history?limit={number}")),
            format!("/api/changes?since={number}"),
        ] {
            let status = ada.get(&path).await.status();
            assert!(
                matches!(status, 200 | 404 | 422)
                    && (status != 200 || number.is_empty() || number == "-1"),
                "{path}: {status}"
            );
        }
        let restored = ada
            .post_request(&file_url("a.nc", "/restore"))
            .header("content-type", "application/json");
        let restored = ada
            .send(restored.body(format!("{{\"revision\": {number}}}")))
            .await;
        assert!(
            matches!(restored.status(), 404 | 422),
            "{number}: {} {}",
            restored.status(),
            restored.text
        );
    }
    assert_eq!(
        ada.get(&file_url("a.nc", "")).await.expect_status(200).body["revision"],
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicate_or_misplaced_parameters_are_rejected() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    let anonymous = app.anonymous();
    let form = |text: &'static str| {
        anonymous
            .post_request("/auth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(text)
    };
    for twice in [
        "username=ada&username=eve&password=correct+horse+battery+staple",
        "grant_type=password&grant_type=refresh_token&username=ada&password=correct+horse+battery+staple",
        "username=ada&password=x&password=correct+horse+battery+staple",
    ] {
        assert_eq!(
            anonymous.send(form(twice)).await.expect_status(400).body["error"],
            "invalid_request",
            "{twice}"
        );
    }
    // Query and body parameters never complement each other.
    let split = anonymous
        .post_request("/auth/token?username=ada")
        .form(&[("password", PASSWORD)]);
    anonymous.send(split).await.expect_status(400);
    let ada = app.sign_in("ada").await;
    ada.get("/api/files?limit=1&limit=2")
        .await
        .expect_status(422);
    for wrong in [
        json!(true),
        json!(0),
        json!(null),
        json!(["correct horse battery staple"]),
        json!({"a": 1}),
    ] {
        let body = json!({"username": "bob", "password": wrong});
        anonymous
            .post("/auth/register", body)
            .await
            .expect_status(422);
    }
    // A body with a content encoding is not decompressed.
    let packed = anonymous
        .post_request("/auth/register")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    anonymous
        .send(packed.body(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]))
        .await
        .expect_status(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn stray_files_and_version_are_not_exposed() {
    let app = TestApp::sqlite().await;
    let root = app.administrator("root").await;
    for path in [
        "/.git/HEAD",
        "/.git%2fHEAD",
        "/.svn/entries",
        "/.env",
        "/Cargo.toml",
        "/assets/",
        "/assets/0/",
        "/assets/0/js",
        "/assets/0/js/",
        "/assets/0/css/base.css.map",
        "/assets/0/css/base.css~",
        "/assets/0/../../Cargo.toml",
        "/assets/0/%2e%2e/%2e%2e/Cargo.toml",
        "/docs/",
        "/debug/pprof",
        "/server-status",
        "/actuator",
        "/strongroom.db",
        "/keys/master.key",
        "/api/",
        "/v/main/f/%2e%2e/%2e%2e/keys",
    ] {
        let answer = send_raw(&app, &root, path).await;
        let status = statuses(&answer)[0].to_owned();
        assert!(
            ["404", "422"].contains(&status.as_str()),
            "{path}: {answer}"
        );
    }
    for (path, status) in [
        ("/", 401),
        ("/sign-in", 200),
        ("/nothing", 404),
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/auth/me", 401),
        ("/docs", 200),
    ] {
        let answer = app.anonymous().get(path).await.expect_status(status);
        for header in ["server", "x-powered-by", "via"] {
            assert_eq!(answer.header(header), None, "{path}");
        }
        assert!(
            !answer.text.contains(env!("CARGO_PKG_VERSION")),
            "{path} tells the version"
        );
    }
}

/// Responses of hyper itself: an empty body, and the connection closes.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_http_gets_an_empty_error_response() {
    let app = TestApp::sqlite().await;
    let too_long = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "a".repeat(600_000)
    );
    let too_many = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
        "X: 1\r\n".repeat(200)
    );
    for (request, status) in [
        ("<script>alert(1)</script>\r\n\r\n", "400"),
        ("GET /<script> \u{1} HTTP/1.1\r\n\r\n", "400"),
        (too_long.as_str(), "431"),
        (too_many.as_str(), "431"),
    ] {
        let answer = raw_exchange(&app, request.as_bytes()).await;
        assert_eq!(statuses(&answer), [status], "{answer}");
        let (headers, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            body.is_empty() && headers.contains("connection: close") && !answer.contains("script"),
            "{answer}"
        );
    }
}
