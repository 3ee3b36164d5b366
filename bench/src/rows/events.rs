//! One event to many sockets: the delay of the slowest, and the memory of each idle socket.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::say;
use crate::client::Client;
use crate::load::percentile;
use crate::machine;
use crate::plan::Plan;
use crate::request;
use crate::sides::{self, Api};
use crate::table::{Row, Table, Target, short};

const PEOPLE: usize = 8;
/// Check-outs and cancels, one event each.
const EVENTS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TcpStream>;

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    let Some(api) = sides::strongroom(plan, "events", PEOPLE).await? else {
        return Ok(());
    };
    api.add_files(1).await?;
    let count = plan.sockets.min(machine::open_files().saturating_sub(200));
    if count < plan.sockets {
        say(&format!(
            "only {count} sockets: raise the limit with `ulimit -n {}`",
            plan.sockets + 200
        ));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = api.server.process().memory()?;
    let mut heard = listen_with(&api, count).await?;
    let times = tell(&api, count, &mut heard).await?;
    let each = (api.server.process().memory()? as f64 - before as f64) / count as f64;
    let p99 = percentile(&times, 99).as_secs_f64() * 1e3;
    table.add(Row {
        work: format!("event to {count} sockets, from its request, p99"),
        strongroom: format!(
            "{} ms (p50 {} ms)",
            short(p99),
            short(percentile(&times, 50).as_secs_f64() * 1e3)
        ),
        beside: String::new(),
        result: p99,
        unit: " ms",
        target: Target::Under(150.0),
    });
    table.add(Row {
        work: "memory per socket, after those events".into(),
        strongroom: format!("{} KiB", short(each)),
        beside: String::new(),
        result: each,
        unit: " KiB",
        target: Target::Under(8.0),
    });
    Ok(())
}

/// Opens `count` sockets. The receiver gets the time of each event on each socket.
async fn listen_with(api: &Api, count: usize) -> Result<mpsc::UnboundedReceiver<Instant>> {
    let (tell, heard) = mpsc::unbounded_channel();
    let sockets: Vec<Socket> = stream::iter(0..count)
        .map(|nth| open(api, nth))
        .buffer_unordered(64)
        .try_collect()
        .await?;
    for socket in sockets {
        tokio::spawn(hear(socket, tell.clone()));
    }
    Ok(heard)
}

async fn open(api: &Api, nth: usize) -> Result<Socket> {
    let mut request = format!("ws://{}/ws", api.address()).into_client_request()?;
    request
        .headers_mut()
        .insert(AUTHORIZATION, format!("Bearer {}", api.token(nth)).parse()?);
    let stream = TcpStream::connect(api.address()).await?;
    let small = WebSocketConfig::default()
        .read_buffer_size(1 << 10)
        .write_buffer_size(0);
    let (socket, _) = client_async_with_config(request, stream, Some(small))
        .await
        .with_context(|| format!("socket {nth}"))?;
    Ok(socket)
}

async fn hear(mut socket: Socket, tell: mpsc::UnboundedSender<Instant>) {
    while let Some(Ok(message)) = socket.next().await {
        let now = Instant::now();
        if message
            .to_text()
            .is_ok_and(|text| text.contains("file_updated"))
            && tell.send(now).is_err()
        {
            return;
        }
    }
}

/// Creates events one after the other. Returns the sorted delays from request to socket.
async fn tell(
    api: &Api,
    count: usize,
    heard: &mut mpsc::UnboundedReceiver<Instant>,
) -> Result<Vec<Duration>> {
    let mut client = Client::connect(api.address()).await?;
    let mut times = Vec::with_capacity(count * EVENTS);
    for nth in 0..EVENTS {
        let action = if nth % 2 == 0 { "checkout" } else { "cancel" };
        let ask = request::post(&format!("/api/files/part-0.step/{action}"), api.token(0));
        let begun = Instant::now();
        client.ask(&ask).await?.fine()?;
        for so_far in 0..count {
            let Ok(at) = tokio::time::timeout(PATIENCE, heard.recv()).await else {
                bail!("event {nth} reached {so_far} of {count} sockets")
            };
            times.push(at.context("every socket is closed")? - begun);
        }
    }
    ensure!(heard.try_recv().is_err(), "an event came twice");
    times.sort_unstable();
    Ok(times)
}
