//! A minimal axum service for `GET /auth/me`: the same JSON, a request id, a trace layer, no
//! authentication.

use std::net::SocketAddr;

use anyhow::Result;
use axum::{Json, Router, http::HeaderName, routing::MethodRouter};
use tower_http::{
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    trace::TraceLayer,
};
use wire::Me;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves until the process is ended, on as many threads as there are cores, as Strongroom does.
pub(crate) fn serve(listen: SocketAddr) -> Result<()> {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .init();
    let router = Router::new()
        .route("/auth/me", MethodRouter::new().get(me))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid));
    // A separate multi-threaded runtime: the one in main is the load driver's single thread.
    let serving = std::thread::spawn(move || {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(async {
                let listener = tokio::net::TcpListener::bind(listen).await?;
                axum::serve(listener, router).await
            })
    });
    Ok(serving
        .join()
        .map_err(|_| anyhow::anyhow!("the bare server panicked"))??)
}

async fn me() -> Json<Me> {
    Json(Me {
        username: "bench-0".into(),
        display_name: None,
        email: None,
        email_verified: false,
        is_admin: false,
        scopes: vec!["read".into(), "write".into()],
        mfa: false,
    })
}
