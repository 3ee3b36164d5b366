//! Request headers: content, retries, proxies, streams.

use proptest::prelude::*;
use reqwest::header::HeaderValue;

use super::{assert_success_or_problem, cases, shuffled_fragments};
use crate::{
    app::{TestApp, file_url},
    throttle::trusted_proxy_settings,
};

const RANGE_FRAGMENTS: &[&str] = &[
    "bytes",
    "=",
    "-",
    ",",
    "0",
    "1",
    "9",
    "18446744073709551615",
    "9223372036854775808",
    " ",
    "-1",
];
const ENTITY_TAG_FRAGMENTS: &[&str] = &["\"", "W/", "*", ",", " ", "e3b0c442", "\\", "\"\""];
const FORWARDED_FRAGMENTS: &[&str] = &[
    "127.0.0.1",
    "192.0.2.1",
    "::1",
    "[2001:db8::1]",
    ":80",
    ",",
    " ",
    "for=",
    "unknown",
    "\"",
    ";",
];
const CONTENT_TYPE_FRAGMENTS: &[&str] = &[
    "text/html",
    "application/json",
    "*/*",
    ";q=",
    "0.5",
    ",",
    "/",
    "application/x-www-form-urlencoded",
];

/// Valid header values; hyper rejects all others before the server sees them.
fn header_value(known: &'static [&'static str]) -> impl Strategy<Value = HeaderValue> {
    shuffled_fragments(known, 12).prop_filter_map("no header", |bytes| {
        HeaderValue::from_bytes(
            &bytes
                .into_iter()
                .filter(|byte| !byte.is_ascii_control())
                .collect::<Vec<_>>(),
        )
        .ok()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_range_and_etag_headers_are_handled() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let files = [("empty.nc", ""), ("one.nc", "1"), ("ten.nc", "0123456789")];
    for (name, content) in files {
        ada.add(name, content.as_bytes()).await.expect_status(201);
    }
    let conditions = ["if-none-match", "if-range", "if-match"];
    let strategy = (
        header_value(RANGE_FRAGMENTS),
        prop::sample::select(conditions.to_vec()),
        prop::option::of(header_value(ENTITY_TAG_FRAGMENTS)),
    );
    let mut cases = cases(&strategy, 250);
    let known = [
        "bytes=0-",
        "bytes=0-0",
        "bytes=-1",
        "bytes=-0",
        "bytes=-99",
        "bytes=9-18446744073709551615",
        "bytes=0-0,2-3",
    ];
    cases.extend(known.map(|range| (HeaderValue::from_static(range), "if-match", None)));
    for (range, condition, tag) in cases {
        for (name, content) in files {
            let mut request = ada
                .get_request(&file_url(name, "/content"))
                .header("range", range.clone());
            if let Some(tag) = &tag {
                request = request.header(condition, tag.clone());
            }
            let about = format!("{name}, Range: {range:?}, {condition}: {tag:?}");
            let answer = ada.send(request).await;
            assert_success_or_problem(&answer, &about);
            match answer.status() {
                200 => assert_eq!(answer.text, content, "{about}"),
                206 => {
                    let part = answer
                        .header("content-range")
                        .unwrap()
                        .strip_prefix("bytes ")
                        .unwrap();
                    let (bounds, size) = part.split_once('/').unwrap();
                    let (first, last) = bounds.split_once('-').unwrap();
                    let (first, last): (usize, usize) =
                        (first.parse().unwrap(), last.parse().unwrap());
                    assert_eq!(size, content.len().to_string(), "{about}");
                    assert_eq!(answer.text, content[first..=last], "{about}");
                }
                304 => assert_eq!(answer.text, "", "{about}"),
                status => assert!(matches!(status, 412 | 416), "{about}: {status}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_idempotency_keys_are_accepted_or_rejected() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.add("a.nc", b"x").await.expect_status(201);
    for key in cases(
        &header_value(&[
            "k",
            "\"",
            " ",
            "9",
            ",",
            "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
        ]),
        150,
    ) {
        for (path, lengthy) in [
            ("/checkout", false),
            ("/cancel", false),
            ("/checkout", true),
        ] {
            let value = if lengthy {
                HeaderValue::from_bytes(&key.as_bytes().repeat(40)).unwrap()
            } else {
                key.clone()
            };
            let request = ada
                .post_request(&file_url("a.nc", path))
                .header("idempotency-key", value);
            assert_success_or_problem(
                &ada.send(request).await,
                &format!("Idempotency-Key: {key:?}"),
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_forwarded_headers_are_handled() {
    let app = TestApp::with_settings(trusted_proxy_settings()).await;
    app.editor("ada").await;
    let strategy = (
        header_value(FORWARDED_FRAGMENTS),
        header_value(FORWARDED_FRAGMENTS),
        header_value(CONTENT_TYPE_FRAGMENTS),
    );
    for (first, second, accept) in cases(&strategy, 250) {
        let anonymous = app.anonymous();
        let with = |request: reqwest::RequestBuilder| {
            let request = request
                .header("x-forwarded-for", first.clone())
                .header("x-forwarded-for", second.clone());
            request
                .header("forwarded", second.clone())
                .header("accept", accept.clone())
        };
        let about = format!("{first:?}, {second:?}, {accept:?}");
        assert_success_or_problem(
            &anonymous
                .send(with(anonymous.get_request("/auth/me")))
                .await,
            &about,
        );
        let form = [("username", "ada"), ("password", "not the right one")];
        assert_success_or_problem(
            &anonymous
                .send(with(anonymous.post_request("/auth/token").form(&form)))
                .await,
            &about,
        );
        app.advance_clock(std::time::Duration::from_mins(20));
    }
}
