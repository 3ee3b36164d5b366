//! One large file up and down, compared with nginx on the same disk, and the memory for it.

use std::fs::File;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::check_in::noise;
use crate::client::Client;
use crate::load;
use crate::plan::Plan;
use crate::process::Server;
use crate::request;
use crate::sides::{self, Api};
use crate::table::{Row, Table, Target, short};

const PIECE: usize = 1 << 20;

/// Bytes a second, round by round.
#[derive(Debug, Default)]
struct Speeds {
    up: Vec<f64>,
    down: Vec<f64>,
    /// With the file's own `fsync` in the time.
    durable: Vec<f64>,
}

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    let Some(api) = sides::strongroom(plan, "transfer", 1).await? else {
        return Ok(());
    };
    let nginx = sides::nginx(plan).await?;
    let (mut ours, mut theirs, mut growth) = (Speeds::default(), Speeds::default(), Vec::new());
    for round in 0..plan.rounds {
        growth.push(strongroom_round(plan, &api, round, &mut ours).await?);
        if let Some(nginx) = &nginx {
            nginx_round(plan, nginx, round, &mut theirs).await?;
        }
    }
    if nginx.is_some() {
        compare(plan, "upload", (&ours.up, &theirs.up), table);
        compare(plan, "download", (&ours.down, &theirs.down), table);
        table.note(format!(
            "nginx answers an upload before it is on the disk; with an fsync it reaches {} MiB/s.",
            mebibytes(load::median(theirs.durable))
        ));
    }
    let most = growth.into_iter().fold(0.0, f64::max);
    table.add(Row {
        work: "peak growth of memory during the transfer".into(),
        strongroom: format!("{} MiB", short(most)),
        beside: String::new(),
        result: most,
        unit: " MiB",
        target: Target::Under(64.0),
    });
    Ok(())
}

fn compare(plan: &Plan, work: &str, (ours, theirs): (&[f64], &[f64]), table: &mut Table) {
    table.add(Row {
        work: format!("{work} of {} MiB", plan.large >> 20),
        strongroom: format!("{} MiB/s", mebibytes(load::median(ours.to_vec()))),
        beside: format!("nginx: {} MiB/s", mebibytes(load::median(theirs.to_vec()))),
        result: load::median(
            ours.iter()
                .zip(theirs)
                .map(|(ours, theirs)| ours / theirs)
                .collect(),
        ),
        unit: "×",
        target: Target::AtLeast(0.7),
    });
}

fn mebibytes(bytes: f64) -> String {
    short(bytes / f64::from(1 << 20))
}

/// Upload and download once. Returns the growth of memory meanwhile, in MiB.
async fn strongroom_round(
    plan: &Plan,
    api: &Api,
    round: usize,
    speeds: &mut Speeds,
) -> Result<f64> {
    sides::settle().await?;
    let process = api.server.process();
    process.forget_peak()?;
    let before = process.memory()?;
    let path = format!("/api/files/large-{round}.bin/content");
    let (head, tail) = request::send_large_file(&path, api.token(0), plan.large);
    let mut client = Client::connect(api.address()).await?;
    speeds
        .up
        .push(upload(&mut client, plan.large, &head, &tail).await?);
    sides::settle().await?;
    speeds
        .down
        .push(download(&mut client, plan.large, &request::get(&path, api.token(0))).await?);
    Ok(process.peak()?.saturating_sub(before) as f64 / 1024.0)
}

async fn nginx_round(
    plan: &Plan,
    (server, files): &(Server, PathBuf),
    round: usize,
    speeds: &mut Speeds,
) -> Result<()> {
    sides::settle().await?;
    let path = format!("/large-{round}.bin");
    let mut client = Client::connect(server.address).await?;
    let begun = Instant::now();
    speeds.up.push(
        upload(
            &mut client,
            plan.large,
            &request::put_large(&path, plan.large),
            b"",
        )
        .await?,
    );
    File::open(files.join(&path[1..]))?.sync_all()?;
    speeds
        .durable
        .push(plan.large as f64 / begun.elapsed().as_secs_f64());
    sides::settle().await?;
    speeds
        .down
        .push(download(&mut client, plan.large, &request::get(&path, "")).await?);
    std::fs::remove_file(files.join(&path[1..]))?;
    Ok(())
}

/// Sends `size` bytes of new content. Returns bytes a second.
async fn upload(client: &mut Client, size: u64, head: &[u8], tail: &[u8]) -> Result<f64> {
    let mut piece = noise(PIECE);
    let begun = Instant::now();
    client.write(head).await?;
    let mut left = size;
    while left > 0 {
        piece[..8].copy_from_slice(&left.to_le_bytes());
        let now = usize::try_from(left.min(PIECE as u64))?;
        client.write(&piece[..now]).await?;
        left -= now as u64;
    }
    client.write(tail).await?;
    client.answer().await?.fine()?;
    Ok(size as f64 / begun.elapsed().as_secs_f64())
}

async fn download(client: &mut Client, size: u64, request: &[u8]) -> Result<f64> {
    let begun = Instant::now();
    let length = client.discard(request).await?;
    ensure!(length == size, "downloaded {length} bytes, uploaded {size}");
    Ok(size as f64 / begun.elapsed().as_secs_f64())
}
