//! A server under measurement: a child process on a free loopback port that ends with this one.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{client::Client, machine::Process, request};

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first 2xx.
    pub(crate) start_up: Duration,
}

impl Server {
    /// Starts `command`, which must listen on `address`, and waits until `path` is answered. Its
    /// output goes to `log`.
    pub(crate) async fn start(
        command: &mut Command,
        address: SocketAddr,
        path: &str,
        log: &Path,
    ) -> Result<Self> {
        let log_file = File::options().create(true).append(true).open(log)?;
        let started_at = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .spawn()?;
        let mut server = Self {
            child,
            address,
            start_up: Duration::ZERO,
        };
        while !server.is_responding(path).await {
            if started_at.elapsed() > Duration::from_secs(20) || server.child.try_wait()?.is_some()
            {
                bail!(
                    "{command:?} does not answer: {}",
                    std::fs::read_to_string(log)?
                );
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.start_up = started_at.elapsed();
        Ok(server)
    }

    async fn is_responding(&self, path: &str) -> bool {
        let Ok(mut client) = Client::connect(self.address).await else {
            return false;
        };
        client.send(&request::get(path, "")).await.is_ok()
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }
}

impl Drop for Server {
    /// Sends SIGTERM, and SIGKILL after three seconds.
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        for _ in 0..300 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
