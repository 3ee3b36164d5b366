//! Request targets: paths, queries, provider callbacks, user codes.

use std::time::Duration;

use auth::upstream::UnknownUsers;
use proptest::prelude::*;
use serde_json::json;

use super::{assert_alive, assert_success_or_problem, cases, shuffled_fragments};
use crate::{
    app::{TestApp, TestResponse},
    attacks::send_raw,
    headers::all_routes,
    mock_provider::MockProvider,
};

const PATH_FRAGMENTS: &[&str] = &[
    "/",
    "//",
    "..",
    "%2e%2e",
    "%252e%252e",
    "%2F",
    "%5c",
    "%00",
    "%ff",
    "%",
    "%c0%af",
    "%E2%80%AE",
    ";x=1",
    "api",
    "files",
    "a.nc",
    "content",
    "vaults",
    "main",
    "v",
    "f",
    "h",
    "assets",
    "0",
    "css/base.css",
    "auth",
    "users",
    "sessions",
    "docs",
    "?",
    "&",
];

/// A request line ends at a space or control character, and hyper rejects invalid paths.
fn request_line(bytes: Vec<u8>) -> String {
    let plain = bytes
        .into_iter()
        .filter(|byte| byte.is_ascii_graphic() && !b"#<>\"`{}|\\^".contains(byte));
    plain.map(char::from).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_paths_are_found_or_rejected() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.add("a.nc", b"x").await.expect_status(201);
    for path in cases(
        &shuffled_fragments(PATH_FRAGMENTS, 10).prop_map(request_line),
        500,
    ) {
        let answer = send_raw(&app, &ada, &format!("/{path}")).await;
        let status: u16 = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap();
        assert!(status < 500, "/{path}: {answer}");
        assert!(
            !answer.contains("root:x:0:0") && !answer.contains("[package]"),
            "/{path}: {answer}"
        );
    }
    assert_alive(&ada).await;
}

const QUERY_VALUES: &[&str] = &[
    "0",
    "1",
    "-1",
    "1000",
    "9223372036854775807",
    "9223372036854775808",
    "1e9",
    "true",
    "a.nc",
    "main",
    "ada",
    "%00",
    "%ff",
    "%E2%80%AE",
    "%",
    "*",
    ".*[",
    "'",
    " OR 1=1--",
    "%3Cscript%3E",
    "2026-11-24T00:00:00Z",
    "-9999-01-01T00:00:00Z",
    "{{7*7}}",
];
const QUERY_NAMES: [&str; 22] = [
    "after",
    "limit",
    "prefix",
    "q",
    "status",
    "locked_by",
    "since",
    "revision",
    "next",
    "user_code",
    "comment",
    "ticket",
    "action",
    "actor",
    "until",
    "chain",
    "kind",
    "client_id",
    "redirect_uri",
    "state",
    "before",
    "page",
];

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_queries_are_handled_or_rejected() {
    let app = TestApp::sqlite().await;
    let root = app.administrator("root").await;
    root.add("none", b"x").await.expect_status(201);
    let routes = all_routes(&app).await;
    let looks: Vec<String> = routes
        .into_iter()
        .filter(|(method, _)| method == "GET")
        .map(|(_, path)| path)
        .collect();
    let pair = (
        prop::sample::select(&QUERY_NAMES[..]),
        shuffled_fragments(QUERY_VALUES, 4).prop_map(request_line),
    );
    let strategy = (
        prop::sample::select(looks),
        prop::collection::vec(pair, 1..4),
        any::<bool>(),
    );
    for (path, pairs, page) in cases(&strategy, 1_500) {
        let query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace(['&', '?'], "")))
            .collect();
        let target = format!("{path}?{}", query.join("&"));
        let request = root.get_request(&target).header(
            "accept",
            if page {
                "text/html"
            } else {
                "application/json"
            },
        );
        let response = request.send().await.unwrap();
        // An open stream has no end.
        match response.status().as_u16() {
            200 | 303 => (),
            400.. => assert_success_or_problem(&TestResponse::read(response).await, &target),
            status => panic!("{target}: {status}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_provider_callbacks_sign_in_no_account() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let names = [
        "code",
        "state",
        "error",
        "error_description",
        "iss",
        "id_token",
        "session_state",
    ];
    let pair = (
        prop::sample::select(names.to_vec()),
        shuffled_fragments(QUERY_VALUES, 4).prop_map(request_line),
    );
    let strategy = (
        prop::collection::vec(pair, 0..5),
        shuffled_fragments(&["strongroom-departure", "=", ";", "sr_up_", "x", " "], 6),
    );
    for (pairs, cookie) in cases(&strategy, 250) {
        let query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let anonymous = app.anonymous();
        let target = format!("/auth/oidc/work/callback?{}", query.join("&"));
        let request = anonymous
            .get_request(&target)
            .header("cookie", request_line(cookie))
            .header("accept", "text/html");
        let answer = anonymous.send(request).await;
        assert_success_or_problem(&answer, &target);
        assert!(
            answer.status() >= 400 && !answer.text.contains("<script>"),
            "{target}: {}",
            answer.status()
        );
        app.advance_clock(Duration::from_hours(1));
    }
    assert!(
        provider.forms.lock().unwrap().is_empty(),
        "no request was sent to the provider"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_typed_codes_are_rejected() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let known = &[
        "BCDF",
        "GHJK",
        "-",
        " ",
        "0",
        "bcdf",
        "\u{202e}",
        "\0",
        "BCDF-GHJK",
    ];
    for typed in cases(&shuffled_fragments(known, 5), 200) {
        let typed = String::from_utf8_lossy(&typed).into_owned();
        for (path, body) in [
            ("/auth/device/look", json!({"user_code": typed})),
            (
                "/auth/device/decide",
                json!({"user_code": typed, "request": typed, "decision": "approve"}),
            ),
            (
                "/auth/device/decide",
                json!({"user_code": typed, "request": "x", "decision": typed}),
            ),
            ("/auth/totp/confirm", json!({"code": typed})),
            ("/auth/step-up", json!({"password": typed, "otp": typed})),
        ] {
            let answer = ada.post(path, body).await;
            assert_success_or_problem(&answer, &format!("{path}: {typed:?}"));
            assert!(answer.status() >= 400, "{path} took {typed:?}");
        }
        app.advance_clock(Duration::from_secs(1));
    }
}
