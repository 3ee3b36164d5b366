//! Buffers request bodies before authentication, and runs mutating handlers to completion even if
//! the client disconnects. The change, its audit entry, its mail and its counters then stay
//! together.

use std::{error::Error, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, header};
use tokio::time::timeout;
use tracing::Instrument;

use crate::{connection::RequestConnection, error::Problem};

/// Bytes of a body other than an upload.
const MAX_BODY: usize = 64 * 1024;

/// Time to receive a body other than an upload. A slower client gets 408.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// The reason why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is too large")]
    TooLarge,
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("the body ended early")]
    Incomplete,
}

impl BodyError {
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::TooLarge => Problem::BodyTooLarge,
            Self::TooSlow => Problem::BodyTooSlow,
            Self::Incomplete => Problem::invalid("", "The request body is incomplete."),
        }
    }

    /// The error that [`body_first`] stored in the body, or an error of the body itself.
    fn from_axum(error: &axum::Error) -> Self {
        let first: &(dyn Error + 'static) = error;
        let mut causes = std::iter::successors(Some(first), |cause| (*cause).source());
        causes
            .find_map(|cause| cause.downcast_ref().copied())
            .unwrap_or(Self::Incomplete)
    }
}

/// The layer. Safe methods (RFC 9110 §9.2.1) pass through unchanged.
pub(crate) async fn buffer_and_detach(request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<RequestConnection>().cloned();
    if request.method().is_safe() {
        let _running = connection.map(|connection| connection.run());
        return next.run(request).await;
    }
    // Boxed, so that the future of a safe request stays small.
    Box::pin(async move {
        // A client that does not send its body waits, like an idle one.
        let request = buffer_body(request).await;
        let _running = connection.map(|connection| connection.run());
        run_detached(request, next).await
    })
    .await
}

/// Reads a body other than an upload.
pub(crate) async fn read_body(body: Body) -> Result<Bytes, BodyError> {
    let (mut chunks, mut bytes) = (body.into_data_stream(), BytesMut::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| BodyError::from_axum(&error))?;
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Reads the body before authentication. Otherwise a client could authenticate, delay the last byte
/// until the session has ended, and still use its rights. The handler of an upload reads the body
/// itself and revalidates the session afterwards
/// ([`Revalidating`](auth::access::extract::Revalidating)).
async fn buffer_body(request: Request) -> Request {
    if is_upload(request.headers()) && !is_form_endpoint(&request) {
        return request;
    }
    let (parts, body) = request.into_parts();
    // The extractor of the body reports the error, after the door and in its own error format.
    let body = match timeout(BODY_TIMEOUT, read_body(body))
        .await
        .unwrap_or(Err(BodyError::TooSlow))
    {
        Ok(bytes) => Body::from(bytes),
        Err(error) => Body::from_stream(stream::once(async move { Err::<Bytes, _>(error) })),
    };
    Request::from_parts(parts, body)
}

/// Accounts and tokens have no uploads. Their forms may be multipart, as `FormData` of a browser is.
fn is_form_endpoint(request: &Request) -> bool {
    request.uri().path().starts_with("/auth/")
}

pub(crate) fn is_upload(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .map_or(&[][..], |value| value.as_bytes());
    kind.get(..10)
        .is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
}

/// Runs the handler in its own task, which outlives the connection and the request's future. An
/// interrupted upload still fails, because its body ends in an error.
async fn run_detached(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        // The panic layer outside renders it.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Problem::Internal("the server stopped before the handler finished".to_owned())
            .into_response(),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a layer is tested without doors")]
mod tests {
    use std::sync::Arc;

    use axum::{Router, body::Body, middleware::from_fn, routing::any};
    use http::{Method, StatusCode};
    use tokio::sync::{Notify, oneshot};
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    /// Sends a request, disconnects once the handler has started, and then lets the handler
    /// continue. Returns whether it finished.
    async fn completes_after_disconnect(method: Method) -> bool {
        let (started, resume) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (complete, completed) = oneshot::channel();
        let shared = Arc::new(std::sync::Mutex::new(Some((
            started.clone(),
            resume.clone(),
            complete,
        ))));
        let handler = move || {
            let shared = shared.lock().unwrap().take();
            async move {
                let (started, resume, complete) = shared.unwrap();
                started.notify_one();
                resume.notified().await;
                let _ = complete.send(());
            }
        };
        let router = Router::new()
            .route("/", any(handler))
            .layer(from_fn(buffer_and_detach));
        let request = http::Request::builder()
            .method(method)
            .uri("/")
            .body(Body::empty())
            .unwrap();
        tokio::select! {
            _ = router.oneshot(request) => panic!("the handler must not finish before its signal"),
            () = started.notified() => {}
        }
        resume.notify_one();
        completed.await.is_ok()
    }

    #[tokio::test]
    async fn client_disconnect_does_not_cancel_write_requests() {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(completes_after_disconnect(method.clone()).await, "{method}");
        }
        // A safe request has nothing to complete.
        assert!(!completes_after_disconnect(Method::GET).await);
    }

    #[tokio::test(start_paused = true)]
    async fn stalled_or_oversized_body_is_rejected() {
        async fn handler(request: Request) -> StatusCode {
            read_body(request.into_body())
                .await
                .map_or_else(|unread| unread.into_problem().status(), |_| StatusCode::OK)
        }
        let ask = async |body: Body| {
            let router = Router::new()
                .route("/", any(handler))
                .layer(from_fn(buffer_and_detach));
            let request = http::Request::builder()
                .method(Method::POST)
                .uri("/")
                .body(body)
                .unwrap();
            router.oneshot(request).await.unwrap().status()
        };
        assert_eq!(ask(Body::from("here")).await, StatusCode::OK);
        assert_eq!(
            ask(Body::from_stream(
                stream::pending::<Result<&str, BodyError>>()
            ))
            .await,
            StatusCode::REQUEST_TIMEOUT
        );
        assert_eq!(
            ask(Body::from(vec![b'a'; MAX_BODY + 1])).await,
            StatusCode::PAYLOAD_TOO_LARGE
        );
    }

    #[tokio::test]
    async fn panic_in_detached_handler_returns_500() {
        async fn handler() {
            panic!("as it happens");
        }
        let router = Router::new()
            .route("/", any(handler))
            .layer(from_fn(buffer_and_detach))
            .layer(CatchPanicLayer::new());
        let request = http::Request::builder()
            .method(Method::POST)
            .uri("/")
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            router.oneshot(request).await.unwrap().status(),
            StatusCode::INTERNAL_SERVER_ERROR
        );
    }
}
