//! TCP connections: `TCP_NODELAY`, a write timeout for clients that stop reading, and a budget that
//! keeps descriptors free.

mod budget;
mod tracked;

use std::{io, pin::Pin, time::Duration};

use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

pub(crate) use budget::ConnectionBudget;
pub(crate) use tracked::RequestConnection;
use tracked::{TrackedService, TrackedStream};

/// A client that reads nothing for this time loses its connection, with its download or event
/// stream.
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);

/// Sent without reading a request, when every connection runs one.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\
    connection: close\r\n\r\n";

type ClientStream = TrackedStream<Pin<Box<TimeoutStream<TcpStream>>>>;

/// Prepares each connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionAcceptor {
    pub(crate) budget: ConnectionBudget,
}

impl<S> Accept<TcpStream, S> for ConnectionAcceptor {
    type Stream = ClientStream;
    type Service = TrackedService<S>;
    type Future = std::future::Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        std::future::ready(self.prepare(stream, service))
    }
}

impl ConnectionAcceptor {
    fn prepare<S>(
        &self,
        stream: TcpStream,
        service: S,
    ) -> io::Result<(ClientStream, TrackedService<S>)> {
        stream.set_nodelay(true)?;
        let Some(admission) = self.budget.admit() else {
            metrics::counter!("strongroom_connections_closed_total", "reason" => "busy")
                .increment(1);
            // The buffer of a new connection has space for it.
            let _ = stream.try_write(BUSY);
            return Err(io::ErrorKind::ResourceBusy.into());
        };
        let service = TrackedService::new(service, admission.connection().clone());
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        Ok((TrackedStream::new(Box::pin(stream), admission), service))
    }
}
