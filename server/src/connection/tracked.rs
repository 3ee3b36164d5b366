//! A connection of the budget: its stream ends when it is closed for another, and its requests are
//! counted until their responses have ended.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use futures_util::{StreamExt as _, future::BoxFuture};
use http::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower::Service;

use super::budget::{Admission, Connection, Running};

/// The stream of an admitted connection. It ends when the connection is closed for another.
pub(crate) struct TrackedStream<I> {
    inner: I,
    admission: Admission,
}

impl<I> TrackedStream<I> {
    pub(super) fn new(inner: I, admission: Admission) -> Self {
        Self { inner, admission }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for TrackedStream<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.admission.connection().is_closing() {
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_pending() && self.admission.connection().poll_closing(context) {
            return Poll::Ready(Ok(()));
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for TrackedStream<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// The service of one connection.
#[derive(Clone)]
pub(crate) struct TrackedService<S> {
    inner: S,
    connection: Arc<Connection>,
}

impl<S> TrackedService<S> {
    pub(super) fn new(inner: S, connection: Arc<Connection>) -> Self {
        Self { inner, connection }
    }
}

/// The request of a connection, for the layer that reads its body.
#[derive(Clone, Debug)]
pub(crate) struct RequestConnection(Arc<Connection>);

impl RequestConnection {
    /// The request runs from here on.
    pub(crate) fn run(&self) -> Running {
        self.0.run()
    }
}

impl<S, B> Service<Request<B>> for TrackedService<S>
where
    S: Service<Request<B>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let connection = self.connection.clone();
        let place = RequestConnection(connection.clone());
        request.extensions_mut().insert(place);
        let response = self.inner.call(request);
        Box::pin(async move { Ok(hold_until_sent(response.await?, &connection)) })
    }
}

/// A stream runs until its body ends. A socket runs for ever: its limits end it. A response of known
/// size is sent by the kernel, or waits for its client like any other idle connection.
fn hold_until_sent(response: Response, connection: &Arc<Connection>) -> Response {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        connection.run_until_closed();
        return response;
    }
    let running = connection.run();
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| {
        let chunks = body.into_data_stream().map(move |chunk| {
            let _ = &running;
            chunk
        });
        Body::from_stream(chunks)
    })
}
