//! A minimal correct HTTP/1.1 client: one persistent connection, requests given as bytes.
//!
//! A heavier client would take processor time from the server beside it and move every ratio
//! towards 1. It supports only responses with a `Content-Length`, or in chunks that arrive whole,
//! as all measured servers send.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The response itself, or an error with its text if it is not a 2xx.
    pub(crate) fn ensure_success(self) -> Result<Self> {
        ensure!(
            (200..300).contains(&self.status),
            "{}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        );
        Ok(self)
    }

    pub(crate) fn json(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

struct ResponseHead {
    status: u16,
    /// The start of the body in the buffer.
    body_at: usize,
    length: Option<u64>,
}

impl Client {
    pub(crate) async fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server)
            .await
            .with_context(|| format!("connecting to {server}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 << 10),
        })
    }

    /// Sends one request and reads the whole response.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Response> {
        self.stream.write_all(request).await?;
        self.receive().await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    pub(crate) async fn receive(&mut self) -> Result<Response> {
        let head = self.read_head().await?;
        let Some(length) = head.length else {
            return self.read_chunked(head).await;
        };
        let end = head.body_at + usize::try_from(length)?;
        while self.buffer.len() < end {
            self.read_more().await?;
        }
        let body = self.buffer[head.body_at..end].to_vec();
        self.buffer.drain(..end);
        Ok(Response {
            status: head.status,
            body,
        })
    }

    /// Reads a response and discards its body. Returns the number of bytes.
    pub(crate) async fn download(&mut self, request: &[u8]) -> Result<u64> {
        self.stream.write_all(request).await?;
        let head = self.read_head().await?;
        ensure!(head.status == 200, "{} to a download", head.status);
        let length = head.length.context("a download without a length")?;
        let mut remaining = length - (self.buffer.len() - head.body_at) as u64;
        let mut sink = vec![0; 256 << 10];
        while remaining > 0 {
            let read = self.stream.read(&mut sink).await?;
            ensure!(read > 0, "closed with {remaining} bytes to go");
            remaining -= read as u64;
        }
        self.buffer.clear();
        Ok(length)
    }

    async fn read_head(&mut self) -> Result<ResponseHead> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let text = std::str::from_utf8(&self.buffer[..end])?;
                let status = text.get(9..12).context("no status line")?.parse()?;
                if status == 100 {
                    self.buffer.drain(..end + 4);
                    continue;
                }
                let length = match status {
                    204 | 304 => Some(0),
                    _ => content_length(text),
                };
                return Ok(ResponseHead {
                    status,
                    body_at: end + 4,
                    length,
                });
            }
            self.read_more().await?;
        }
    }

    /// Keeps a chunked response undecoded, because callers read only its status.
    async fn read_chunked(&mut self, head: ResponseHead) -> Result<Response> {
        while !self.buffer.ends_with(b"0\r\n\r\n") {
            self.read_more().await?;
        }
        let body = self.buffer.split_off(head.body_at);
        self.buffer.clear();
        Ok(Response {
            status: head.status,
            body,
        })
    }

    async fn read_more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!(
                "the server closed the connection after {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
        Ok(())
    }
}

fn content_length(head: &str) -> Option<u64> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
}

/// One request on a connection of its own; anything but a 2xx is an error.
pub(crate) async fn send_once(server: SocketAddr, request: &[u8]) -> Result<Response> {
    Client::connect(server)
        .await?
        .send(request)
        .await?
        .ensure_success()
}
