//! Connections: small packets leave at once, and a client that stops reading is let go.

use std::{io, pin::Pin, time::Duration};

use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

/// A client that takes nothing for so long is gone: its download, or its stream of events, ends.
const NOTHING_TAKEN: Duration = Duration::from_mins(1);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patient;

impl<S> Accept<TcpStream, S> for Patient {
    type Stream = Pin<Box<TimeoutStream<TcpStream>>>;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = stream.set_nodelay(true).map(|()| {
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(NOTHING_TAKEN));
            (Box::pin(stream), service)
        });
        std::future::ready(accepted)
    }
}
