//! A minimal correct HTTP/1.1 client: one persistent connection, requests given as bytes.
//!
//! A heavier client would take processor time from the server beside it and move every ratio
//! towards 1. It supports only responses with a `Content-Length`, or in chunks that arrive whole,
//! as all measured servers send.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The response itself, or an error with its text if it is not a 2xx.
    pub(crate) fn fine(self) -> Result<Self> {
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

struct Head {
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
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        self.answer().await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    pub(crate) async fn answer(&mut self) -> Result<Answer> {
        let head = self.head().await?;
        let Some(length) = head.length else {
            return self.chunked(head).await;
        };
        let whole = head.body_at + usize::try_from(length)?;
        while self.buffer.len() < whole {
            self.more().await?;
        }
        let body = self.buffer[head.body_at..whole].to_vec();
        self.buffer.drain(..whole);
        Ok(Answer {
            status: head.status,
            body,
        })
    }

    /// Reads a response and discards its body. Returns the number of bytes.
    pub(crate) async fn discard(&mut self, request: &[u8]) -> Result<u64> {
        self.stream.write_all(request).await?;
        let head = self.head().await?;
        ensure!(head.status == 200, "{} to a download", head.status);
        let length = head.length.context("a download without a length")?;
        let mut left = length - (self.buffer.len() - head.body_at) as u64;
        let mut sink = vec![0; 256 << 10];
        while left > 0 {
            let read = self.stream.read(&mut sink).await?;
            ensure!(read > 0, "closed with {left} bytes to go");
            left -= read as u64;
        }
        self.buffer.clear();
        Ok(length)
    }

    async fn head(&mut self) -> Result<Head> {
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
                return Ok(Head {
                    status,
                    body_at: end + 4,
                    length,
                });
            }
            self.more().await?;
        }
    }

    /// Keeps a chunked response undecoded, because callers read only its status.
    async fn chunked(&mut self, head: Head) -> Result<Answer> {
        while !self.buffer.ends_with(b"0\r\n\r\n") {
            self.more().await?;
        }
        let body = self.buffer.split_off(head.body_at);
        self.buffer.clear();
        Ok(Answer {
            status: head.status,
            body,
        })
    }

    async fn more(&mut self) -> Result<()> {
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
pub(crate) async fn ask_once(server: SocketAddr, request: &[u8]) -> Result<Answer> {
    Client::connect(server).await?.ask(request).await?.fine()
}
