//! Bodies: uploads, forms of pages, JSON of every operation.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{assert_alive, assert_success_or_problem, cases, shuffled_fragments};
use crate::{
    app::{Client, TestApp, file_url},
    passkeys::malformed_input::any_json,
};

const MULTIPART_FRAGMENTS: &[&str] = &[
    "--x\r\n",
    "--x--\r\n",
    "--x",
    "\r\n",
    "\r\n\r\n",
    "Content-Disposition: form-data; name=\"file\"; filename=\"a.nc\"\r\n\r\n",
    "Content-Disposition: form-data; name=\"comment\"\r\n\r\n",
    "Content-Disposition: form-data; name=\"keep_checked_out\"\r\n\r\ntrue\r\n",
    "Content-Disposition: form-data; name=\"",
    "Content-Disposition: form-data\r\n\r\n",
    "Content-Type: multipart/mixed; boundary=x\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "G0 X0",
    "\0",
];

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_upload_is_stored_or_rejected_without_leftovers() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let kinds = [
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=x",
    ];
    let strategy = (
        prop::sample::select(kinds.to_vec()),
        shuffled_fragments(MULTIPART_FRAGMENTS, 12),
    );
    let mut kept = 0;
    for (n, (kind, mut body)) in cases(&strategy, 400).into_iter().enumerate() {
        if n % 3 == 0 {
            // Mostly complete, so that some reach the end.
            body = [
                &b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"[..],
                &body,
                b"\r\n--x--\r\n",
            ]
            .concat();
        }
        let about = format!("{kind}: {:?}", String::from_utf8_lossy(&body));
        let request = ada
            .put_request(&file_url(&format!("{n}.nc"), "/content"))
            .header("content-type", kind)
            .body(body);
        let answer = ada.send(request).await;
        assert_success_or_problem(&answer, &about);
        kept += usize::from(answer.status() == 201);
        let found = ada.get(&file_url(&format!("{n}.nc"), "")).await.status();
        assert_eq!(
            found,
            if answer.status() == 201 { 200 } else { 404 },
            "{about}"
        );
    }
    assert!(kept > 20, "{kept}");
    let under_way = app.data.path().join("vaults/main.git/lfs/tmp");
    assert_eq!(std::fs::read_dir(under_way).map_or(0, Iterator::count), 0);
}

const FORM_FRAGMENTS: &[&str] = &[
    "username=",
    "password=",
    "token=",
    "invite=",
    "otp=",
    "account=",
    "email=",
    "display_name=",
    "next=",
    "ada",
    "&",
    "=",
    "%",
    "%00",
    "%ff",
    "+",
    "%3Cscript%3E",
    "%0d%0a",
    "//evil.example",
    "sr_rs_",
    "a quite long password",
];

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_page_form_is_handled_or_rejected() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    let paths = [
        "/sign-in",
        "/sign-in/second",
        "/sign-up",
        "/first",
        "/forgot",
        "/reset",
        "/join",
        "/confirm-email",
        "/auth/password-check",
        "/sign-out",
        "/auth/token",
        "/auth/revoke",
        "/auth/introspect",
        "/auth/device",
    ];
    let cookies = [
        "strongroom=x",
        "strongroom-second=sr_hw_x",
        "strongroom-device=;;=",
        "",
    ];
    let strategy = (
        prop::sample::select(paths.to_vec()),
        prop::sample::select(cookies.to_vec()),
        shuffled_fragments(FORM_FRAGMENTS, 14),
    );
    for (path, cookie, form) in cases(&strategy, 400) {
        let anonymous = app.anonymous();
        let about = format!("{path}, {cookie}: {:?}", String::from_utf8_lossy(&form));
        let request = anonymous
            .post_request(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let request = request
            .header("sec-fetch-site", "same-origin")
            .header("accept", "text/html")
            .header("cookie", cookie);
        let answer = anonymous.send(request).await;
        assert_success_or_problem(&answer, &about);
        assert!(
            !["<script>", "href=\"//evil", "action=\"//evil"]
                .iter()
                .any(|bad| answer.text.contains(bad)),
            "{about}: {}",
            answer.text
        );
        assert!(
            !answer.header("location").unwrap_or("/").contains("//"),
            "{about}"
        );
        // Errors count against the address, and this test is not about throttling.
        app.advance_clock(std::time::Duration::from_hours(1));
    }
    assert_alive(&app.anonymous()).await;
}

/// The members of a request body, from the API document.
fn body_members(document: &Value, operation: &Value) -> Vec<String> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let named = schema["$ref"]
        .as_str()
        .or_else(|| schema["oneOf"][1]["$ref"].as_str());
    let schema = named.map_or(schema, |name| {
        document.pointer(name.trim_start_matches('#')).unwrap()
    });
    schema["properties"]
        .as_object()
        .map(|members| members.keys().cloned().collect())
        .unwrap_or_default()
}

async fn send_json(
    client: &Client,
    method: &str,
    path: &str,
    body: String,
) -> crate::app::TestResponse {
    let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    client
        .send(
            client
                .request_builder(method, path)
                .header("content-type", "application/json")
                .body(body),
        )
        .await
}

/// Each operation, as an administrator, so that none is rejected for missing rights.
#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_json_bodies_are_handled_or_rejected() {
    let app = TestApp::sqlite().await;
    let root = app.administrator("root").await;
    root.add("a.nc", b"x").await.expect_status(201);
    let document = root.get("/openapi.json").await.expect_status(200).body;
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let members = body_members(&document, operation);
            if members.is_empty() {
                continue;
            }
            tried += 1;
            let filled = path
                .replace("{vault}", "main")
                .replace("{filename}", "a.nc")
                .replace("{username}", "nobody");
            let filled = filled.replace("{group}", "none").replace("{id}", "none");
            for values in cases(&prop::collection::vec(any_json(), members.len()), 8) {
                let body: Map<String, Value> = members.iter().cloned().zip(values).collect();
                let about = format!("{method} {path}: {}", json!(body));
                assert_success_or_problem(
                    &send_json(&root, method, &filled, json!(body).to_string()).await,
                    &about,
                );
            }
            for odd in malformed_json(&members[0]) {
                let answer = send_json(&root, method, &filled, odd.clone()).await;
                assert_success_or_problem(&answer, &format!("{method} {path}: {odd}"));
                assert!(
                    answer.status() >= 400,
                    "{method} {path} took {odd}: {}",
                    answer.status()
                );
            }
        }
    }
    assert!(tried > 25, "{tried}");
    assert_alive(&root).await;
}

/// JSON that parsers disagree about: duplicate members, a byte order mark, lone surrogates,
/// trailing data, and excessive numbers and depths.
fn malformed_json(member: &str) -> Vec<String> {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    vec![
        format!("{{\"{member}\": \"x\", \"{member}\": \"y\"}}"),
        format!("\u{feff}{{\"{member}\": \"x\"}}"),
        format!("{{\"{member}\": \"\\ud800\"}}"),
        format!("{{\"{member}\": \"x\"}} {{}}"),
        format!("{{\"{member}\": \"x\",}}"),
        format!("{{\"{member}\": 1e999}}"),
        format!("{{\"{member}\": {}}}", deep(10_000)),
        format!("{{\"{member}\": NaN}}"),
        format!("{{\"no_such_member\": {}, \"{member}\": [0]}}", deep(200)),
    ]
}
