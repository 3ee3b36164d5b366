//! TCP connections: `TCP_NODELAY`, and a write timeout for clients that stop reading.

use std::{io, pin::Pin, time::Duration};

use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

/// A client that reads nothing for this time loses its connection, with its download or event
/// stream.
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);

/// An acceptor that sets both on each connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteTimeoutAcceptor;

impl<S> Accept<TcpStream, S> for WriteTimeoutAcceptor {
    type Stream = Pin<Box<TimeoutStream<TcpStream>>>;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = stream.set_nodelay(true).map(|()| {
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(WRITE_TIMEOUT));
            (Box::pin(stream), service)
        });
        std::future::ready(accepted)
    }
}
