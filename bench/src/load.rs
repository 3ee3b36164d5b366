//! Closed-loop load: each client has one connection and sends the next request after each response.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::{
    client::{Client, Response},
    machine::Process,
};

/// The next request of one client.
pub(crate) trait Workload: Send + 'static {
    fn next_request(&mut self) -> &[u8];

    /// Whether a round may end here, without a checked-out file.
    fn is_idle(&self) -> bool;

    /// Checks the response: a 2xx, unless an implementation expects another status.
    fn on_response(&mut self, answer: Response) -> Result<()> {
        answer.ensure_success().map(drop)
    }
}

/// The same few requests, repeated.
pub(crate) struct RequestCycle {
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl RequestCycle {
    pub(crate) fn new(requests: Vec<Vec<u8>>) -> Self {
        Self { requests, next: 0 }
    }
}

impl Workload for RequestCycle {
    fn next_request(&mut self) -> &[u8] {
        let now = self.next;
        self.next = (now + 1) % self.requests.len();
        &self.requests[now]
    }

    fn is_idle(&self) -> bool {
        self.next == 0
    }
}

/// The measurements of one round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measurement {
    pub(crate) per_second: f64,
    /// Processor time of the server for one request.
    pub(crate) cpu: Duration,
    /// The time of every response, sorted.
    times: Vec<Duration>,
}

impl Measurement {
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        percentile(&self.times, percent)
    }
}

/// `times` must be sorted.
pub(crate) fn percentile(times: &[Duration], percent: usize) -> Duration {
    let last = times.len().saturating_sub(1);
    times.get(last * percent / 100).copied().unwrap_or_default()
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The measured interval, from `start` to `end`. Responses outside it are warm-up and wind-down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    start: Instant,
    end: Instant,
}

impl Window {
    pub(crate) fn after_warm_up(time: Duration) -> Self {
        let start = Instant::now() + Duration::from_secs(1);
        Self {
            start,
            end: start + time,
        }
    }
}

/// One round of `works`, one client each, against `server`.
pub(crate) async fn run<W: Workload>(
    server: SocketAddr,
    workloads: Vec<W>,
    window: Window,
) -> Result<Measurement> {
    let mut clients = JoinSet::new();
    for workload in workloads {
        let client = Client::connect(server).await?;
        clients.spawn(client_loop(client, workload, window));
    }
    let mut times = Vec::new();
    while let Some(done) = clients.join_next().await {
        times.extend(done??);
    }
    times.sort_unstable();
    let seconds = (window.end - window.start).as_secs_f64();
    Ok(Measurement {
        per_second: times.len() as f64 / seconds,
        cpu: Duration::ZERO,
        times,
    })
}

/// Like `run`, and measures the server's processor time for each request.
pub(crate) async fn run_with_cpu_time<W: Workload>(
    process: Process,
    server: SocketAddr,
    workloads: Vec<W>,
    window: Window,
) -> Result<Measurement> {
    let watch = async {
        tokio::time::sleep_until(window.start.into()).await;
        let before = process.cpu_time()?;
        tokio::time::sleep_until(window.end.into()).await;
        anyhow::Ok(process.cpu_time()?.saturating_sub(before))
    };
    let (measurement, spent) = tokio::try_join!(run(server, workloads, window), watch)?;
    let cpu = spent / u32::try_from(measurement.times.len().max(1))?;
    Ok(Measurement { cpu, ..measurement })
}

async fn client_loop<W: Workload>(
    mut client: Client,
    mut workload: W,
    window: Window,
) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(1 << 16);
    loop {
        let sent_at = Instant::now();
        if sent_at >= window.end && workload.is_idle() {
            return Ok(times);
        }
        let response = client.send(workload.next_request()).await?;
        let received_at = Instant::now();
        workload.on_response(response)?;
        if received_at >= window.start && received_at <= window.end {
            times.push(received_at - sent_at);
        }
    }
}

/// One client that sends a request every `pause`, whether the previous response is in time or not.
/// A late response delays those after it, and their times include that.
pub(crate) async fn run_paced<W: Workload>(
    server: SocketAddr,
    mut workload: W,
    window: Window,
    pause: Duration,
) -> Result<Measurement> {
    let mut client = Client::connect(server).await?;
    let mut times = Vec::new();
    let mut due = window.start;
    while due < window.end {
        tokio::time::sleep_until(due.into()).await;
        let response = client.send(workload.next_request()).await?;
        times.push(due.elapsed());
        workload.on_response(response)?;
        due += pause;
    }
    times.sort_unstable();
    let seconds = (window.end - window.start).as_secs_f64();
    Ok(Measurement {
        per_second: times.len() as f64 / seconds,
        cpu: Duration::ZERO,
        times,
    })
}
