//! One event to many sockets: the delay of the slowest, and the memory of each idle socket.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        client::IntoClientRequest as _, http::header::AUTHORIZATION, protocol::WebSocketConfig,
    },
};

use crate::{
    client::Client,
    load::percentile,
    machine,
    options::Options,
    progress, request,
    table::{ResultRow, Table, Threshold, format_short},
    targets::{self, ApiServer},
};

const ACCOUNTS: usize = 8;
/// Check-outs and cancels, one event each.
const EVENTS: usize = 20;
const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TcpStream>;

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    let Some(api) = targets::strongroom_with_accounts(plan, "events", ACCOUNTS).await? else {
        return Ok(());
    };
    api.add_files(1).await?;
    let count = plan.sockets.min(machine::open_files().saturating_sub(200));
    if count < plan.sockets {
        progress::report(&format!(
            "only {count} sockets: raise the limit with `ulimit -n {}`",
            plan.sockets + 200
        ));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = api.server.process().memory()?;
    let mut arrivals = open_sockets(&api, count).await?;
    let times = measure_delays(&api, count, &mut arrivals).await?;
    let bytes_per_socket = (api.server.process().memory()? as f64 - before as f64) / count as f64;
    let p99 = percentile(&times, 99).as_secs_f64() * 1e3;
    table.add(ResultRow {
        label: format!("event to {count} sockets, from its request, p99"),
        strongroom: format!(
            "{} ms (p50 {} ms)",
            format_short(p99),
            format_short(percentile(&times, 50).as_secs_f64() * 1e3)
        ),
        compared_with: String::new(),
        result: p99,
        unit: " ms",
        target: Threshold::Under(150.0),
    });
    table.add(ResultRow {
        label: "memory per socket, after those events".into(),
        strongroom: format!("{} KiB", format_short(bytes_per_socket)),
        compared_with: String::new(),
        result: bytes_per_socket,
        unit: " KiB",
        target: Threshold::Under(8.0),
    });
    Ok(())
}

/// Opens `count` sockets. The receiver gets the time of each event on each socket.
async fn open_sockets(api: &ApiServer, count: usize) -> Result<mpsc::UnboundedReceiver<Instant>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let sockets: Vec<Socket> = stream::iter(0..count)
        .map(|nth| open_socket(api, nth))
        .buffer_unordered(64)
        .try_collect()
        .await?;
    for socket in sockets {
        tokio::spawn(record_arrivals(socket, sender.clone()));
    }
    Ok(receiver)
}

async fn open_socket(api: &ApiServer, nth: usize) -> Result<Socket> {
    let mut request = format!("ws://{}/ws", api.address()).into_client_request()?;
    request
        .headers_mut()
        .insert(AUTHORIZATION, format!("Bearer {}", api.token(nth)).parse()?);
    let stream = TcpStream::connect(api.address()).await?;
    let config = WebSocketConfig::default()
        .read_buffer_size(1 << 10)
        .write_buffer_size(0);
    let (socket, _) = client_async_with_config(request, stream, Some(config))
        .await
        .with_context(|| format!("socket {nth}"))?;
    Ok(socket)
}

async fn record_arrivals(mut socket: Socket, sender: mpsc::UnboundedSender<Instant>) {
    while let Some(Ok(message)) = socket.next().await {
        let now = Instant::now();
        if message
            .to_text()
            .is_ok_and(|text| text.contains("file_updated"))
            && sender.send(now).is_err()
        {
            return;
        }
    }
}

/// Creates events one after the other. Returns the sorted delays from request to socket.
async fn measure_delays(
    api: &ApiServer,
    count: usize,
    arrivals: &mut mpsc::UnboundedReceiver<Instant>,
) -> Result<Vec<Duration>> {
    let mut client = Client::connect(api.address()).await?;
    let mut times = Vec::with_capacity(count * EVENTS);
    for nth in 0..EVENTS {
        let action = if nth % 2 == 0 { "checkout" } else { "cancel" };
        let request = request::post(&format!("/api/files/part-0.step/{action}"), api.token(0));
        let started_at = Instant::now();
        client.send(&request).await?.ensure_success()?;
        for arrived in 0..count {
            let Ok(at) = tokio::time::timeout(EVENT_TIMEOUT, arrivals.recv()).await else {
                bail!("event {nth} reached {arrived} of {count} sockets")
            };
            times.push(at.context("every socket is closed")? - started_at);
        }
    }
    ensure!(arrivals.try_recv().is_err(), "an event came twice");
    times.sort_unstable();
    Ok(times)
}
