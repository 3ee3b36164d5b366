//! A download under way. It ends, like a socket, within a second after its caller loses access.

use std::{io, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;
use vault::ContentStream;

use super::{
    hub::Hub,
    session_watch::{OpenStreamGauge, SessionWatch, StreamAuthorizer, record_close},
};

/// A session can expire, and the store can fail, without a change that is announced.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A body of `content`. Without access it breaks off before its `Content-Length`, so that no client
/// takes a part for the whole.
pub fn authorized_content<W: StreamAuthorizer>(
    content: ContentStream,
    hub: Hub,
    authorizer: W,
) -> Body {
    let download = Download {
        content,
        watch: SessionWatch::new(hub, authorizer),
        check_at: Instant::now() + CHECK_INTERVAL,
        _open: OpenStreamGauge::new("download"),
    };
    Body::from_stream(stream::try_unfold(download, |mut download| async move {
        let chunk = download.next().await?;
        Ok::<_, io::Error>(chunk.map(|chunk| (chunk, download)))
    }))
}

struct Download<W> {
    content: ContentStream,
    watch: SessionWatch<W>,
    check_at: Instant,
    _open: OpenStreamGauge,
}

impl<W: StreamAuthorizer> Download<W> {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.watch.access_changed() || Instant::now() >= self.check_at {
            self.check_access().await?;
        }
        self.content.next().await.transpose()
    }

    async fn check_access(&mut self) -> io::Result<()> {
        self.check_at = Instant::now() + CHECK_INTERVAL;
        // A shutdown lets downloads go on until its time limit.
        self.watch.check_caller().await.map_err(|close_reason| {
            record_close(close_reason);
            let frame = close_reason.close_frame();
            let reason = frame.map_or("The download was stopped.", |(_, reason)| reason);
            io::Error::new(io::ErrorKind::PermissionDenied, reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::BodyDataStream;

    use super::*;
    use crate::live::{
        StreamAccess,
        testing::{LiveTestServer, MockEventLog},
    };

    /// A download of ten chunks.
    fn download(server: &LiveTestServer) -> BodyDataStream {
        let content = stream::iter((0..10).map(|_| Ok(Bytes::from_static(b"ten bytes.")))).boxed();
        server.download(content).into_data_stream()
    }

    async fn assert_breaks_off(body: &mut BodyDataStream) {
        let error = body.next().await.unwrap().unwrap_err();
        assert!(format!("{error:?}").contains("PermissionDenied"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn download_breaks_off_when_access_ends() {
        for access in [StreamAccess::SignedOut, StreamAccess::Forbidden] {
            let server = LiveTestServer::start(MockEventLog::with_events(0));
            let mut body = download(&server);
            assert_eq!(body.next().await.unwrap().unwrap(), "ten bytes.");
            server.set_access(access);
            assert_breaks_off(&mut body).await;
            assert!(body.next().await.is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn download_breaks_off_after_expiry_without_change() {
        let server = LiveTestServer::start(MockEventLog::with_events(0));
        let mut body = download(&server);
        assert_eq!(body.next().await.unwrap().unwrap(), "ten bytes.");
        server.set_access_silently(StreamAccess::SignedOut);
        tokio::time::advance(CHECK_INTERVAL).await;
        assert_breaks_off(&mut body).await;
    }

    #[tokio::test(start_paused = true)]
    async fn download_goes_on_through_outage_and_shutdown() {
        let server = LiveTestServer::start(MockEventLog::with_events(0));
        let mut body = download(&server);
        server.set_access(StreamAccess::Unavailable);
        assert_eq!(body.next().await.unwrap().unwrap(), "ten bytes.");
        server.set_access(StreamAccess::Allowed);
        server.stop();
        let rest: Vec<_> = body.collect().await;
        assert_eq!(rest.len(), 9);
        assert!(rest.iter().all(Result::is_ok));
    }
}
