//! Providers that are gone, slow, or answer with too much.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use auth::upstream::UnknownUsers;
use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Redirect, Response},
};
use futures_util::{Stream, StreamExt as _};
use serde_json::json;
use server::{ConfigSource, config::ProviderSection};

use super::{UpstreamBrowser, set_metadata};
use crate::{app::TestApp, mock_provider::MockProvider};

async fn start_login_status(app: &TestApp) -> u16 {
    app.anonymous().get("/auth/oidc/work").await.status()
}

#[tokio::test(flavor = "multi_thread")]
async fn unavailable_provider_returns_502_and_next_stays_local() {
    let provider = MockProvider::start().await;
    let gone = ProviderSection {
        issuer: "http://127.0.0.1:9".to_owned(),
        ..provider.section(UnknownUsers::Provision)
    };
    let app = TestApp::with_settings(ConfigSource {
        providers: Some(vec![gone]),
        ..ConfigSource::default()
    })
    .await;
    let answer = app
        .anonymous()
        .get("/auth/oidc/work")
        .await
        .expect_status(502);
    assert!(answer.text.contains("cannot be reached"), "{}", answer.text);
    app.anonymous()
        .get("/auth/oidc/nobody")
        .await
        .expect_status(404);
    let app = provider.start_app(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1"}));
    let browser = UpstreamBrowser::new(&app);
    let left = browser
        .start_login(&provider, "https%3A%2F%2Fevil.example")
        .await;
    let answer = browser
        .callback(&left.state, &left.cookie)
        .await
        .expect_status(303);
    assert_eq!(answer.header("location"), Some("/"));
    let denied = app
        .anonymous()
        .get("/auth/oidc/work/callback?error=%3Cscript%3E&state=x")
        .await;
    assert_eq!(denied.status(), 403);
    assert!(!denied.text.contains("<script>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_metadata_with_wrong_issuer_is_rejected() {
    let provider = MockProvider::start().await;
    for issuer in [
        "https://evil.example".to_owned(),
        format!("{}/", provider.issuer),
        format!("{}/x", provider.issuer),
    ] {
        set_metadata(&provider, &json!({ "issuer": issuer }));
        let app = provider.start_app(UnknownUsers::Provision).await;
        assert_eq!(start_login_status(&app).await, 502, "{issuer}");
    }
}

/// The provider's response with its keys.
fn ok_response(body: Body) -> Response {
    ([("content-type", "application/json")], body).into_response()
}

fn endless_body() -> impl Stream<Item = Result<Bytes, Infallible>> {
    futures_util::stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 16 * 1024])))
}

type ResponseFn = fn() -> Response;

#[tokio::test(flavor = "multi_thread")]
async fn provider_redirect_or_oversized_answer_is_rejected() {
    let provider = MockProvider::start().await;
    let badly: [(&str, ResponseFn); 3] = [
        ("a redirect to the keys", || {
            Redirect::temporary("/moved").into_response()
        }),
        ("two megabytes", || {
            ok_response(Body::from_stream(endless_body().take(128)))
        }),
        ("an endless body", || {
            ok_response(Body::from_stream(endless_body()))
        }),
    ];
    for (what, keys) in badly {
        provider.misbehaviour.lock().unwrap().jwks = Some(keys);
        let app = provider.start_app(UnknownUsers::Provision).await;
        let asked = Instant::now();
        assert_eq!(start_login_status(&app).await, 502, "{what}");
        assert!(asked.elapsed() < Duration::from_secs(9), "{what}");
        provider.misbehaviour.lock().unwrap().jwks = None;
        assert_eq!(
            start_login_status(&app).await,
            502,
            "{what}: it is not asked again at once"
        );
        app.advance_clock(Duration::from_secs(11));
        assert_eq!(
            start_login_status(&app).await,
            303,
            "the provider responds again"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unresponsive_provider_times_out_without_blocking_another() {
    let (slow, other) = (MockProvider::start().await, MockProvider::start().await);
    slow.misbehaviour.lock().unwrap().jwks = Some(|| {
        ok_response(Body::from_stream(futures_util::stream::pending::<
            Result<Bytes, Infallible>,
        >()))
    });
    let second = ProviderSection {
        id: "other".to_owned(),
        ..other.section(UnknownUsers::Provision)
    };
    let sections = vec![slow.section(UnknownUsers::Provision), second];
    let app = TestApp::with_settings(ConfigSource {
        providers: Some(sections),
        ..ConfigSource::default()
    })
    .await;
    let asked = Instant::now();
    let (waiting, quick) = (app.anonymous(), app.anonymous());
    let waiting = tokio::spawn(async move { waiting.get("/auth/oidc/work").await.status() });
    tokio::task::yield_now().await;
    while !waiting.is_finished() && asked.elapsed() < Duration::from_secs(2) {
        quick.get("/auth/oidc/other").await.expect_status(303);
    }
    assert!(
        !waiting.is_finished(),
        "the sign-in still waits for the provider"
    );
    assert_eq!(waiting.await.unwrap(), 502);
    assert!(asked.elapsed() < Duration::from_secs(20));
}
