//! One large file up and down, compared with nginx on the same disk, and the memory for it.

use std::{fs::File, path::PathBuf, time::Instant};

use anyhow::{Result, ensure};

use crate::{
    client::Client,
    load,
    options::Options,
    process::Server,
    random::random_bytes,
    request,
    table::{ResultRow, Table, Threshold, format_short},
    targets::{self, ApiServer},
};

const CHUNK_BYTES: usize = 1 << 20;

/// Bytes a second, round by round.
#[derive(Debug, Default)]
struct Speeds {
    up: Vec<f64>,
    down: Vec<f64>,
    /// With the file's own `fsync` in the time.
    durable: Vec<f64>,
}

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    let Some(api) = targets::strongroom_with_accounts(plan, "transfer", 1).await? else {
        return Ok(());
    };
    let nginx = targets::nginx(plan).await?;
    let (mut ours, mut theirs, mut growth) = (Speeds::default(), Speeds::default(), Vec::new());
    for round in 0..plan.rounds {
        growth.push(strongroom_round(plan, &api, round, &mut ours).await?);
        if let Some(nginx) = &nginx {
            nginx_round(plan, nginx, round, &mut theirs).await?;
        }
    }
    if nginx.is_some() {
        add_comparison(plan, "upload", (&ours.up, &theirs.up), table);
        add_comparison(plan, "download", (&ours.down, &theirs.down), table);
        table.note(format!(
            "nginx answers an upload before it is on the disk; with an fsync it reaches {} MiB/s.",
            mebibytes(load::median(theirs.durable))
        ));
    }
    let max_growth = growth.into_iter().fold(0.0, f64::max);
    table.add(ResultRow {
        label: "peak growth of memory during the transfer".into(),
        strongroom: format!("{} MiB", format_short(max_growth)),
        compared_with: String::new(),
        result: max_growth,
        unit: " MiB",
        target: Threshold::Under(64.0),
    });
    Ok(())
}

fn add_comparison(
    plan: &Options,
    label: &str,
    (ours, theirs): (&[f64], &[f64]),
    table: &mut Table,
) {
    table.add(ResultRow {
        label: format!("{label} of {} MiB", plan.large >> 20),
        strongroom: format!("{} MiB/s", mebibytes(load::median(ours.to_vec()))),
        compared_with: format!("nginx: {} MiB/s", mebibytes(load::median(theirs.to_vec()))),
        result: load::median(
            ours.iter()
                .zip(theirs)
                .map(|(ours, theirs)| ours / theirs)
                .collect(),
        ),
        unit: "×",
        target: Threshold::AtLeast(0.7),
    });
}

fn mebibytes(bytes: f64) -> String {
    format_short(bytes / f64::from(1 << 20))
}

/// Upload and download once. Returns the growth of memory meanwhile, in MiB.
async fn strongroom_round(
    plan: &Options,
    api: &ApiServer,
    round: usize,
    speeds: &mut Speeds,
) -> Result<f64> {
    targets::sync_disk().await?;
    let process = api.server.process();
    process.reset_peak()?;
    let before = process.memory()?;
    let path = format!("/api/files/large-{round}.bin/content");
    let (head, tail) = request::send_large_file(&path, api.token(0), plan.large);
    let mut client = Client::connect(api.address()).await?;
    speeds
        .up
        .push(upload(&mut client, plan.large, &head, &tail).await?);
    targets::sync_disk().await?;
    speeds
        .down
        .push(download(&mut client, plan.large, &request::get(&path, api.token(0))).await?);
    Ok(process.peak()?.saturating_sub(before) as f64 / 1024.0)
}

async fn nginx_round(
    plan: &Options,
    (server, files): &(Server, PathBuf),
    round: usize,
    speeds: &mut Speeds,
) -> Result<()> {
    targets::sync_disk().await?;
    let path = format!("/large-{round}.bin");
    let mut client = Client::connect(server.address).await?;
    let started_at = Instant::now();
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
        .push(plan.large as f64 / started_at.elapsed().as_secs_f64());
    targets::sync_disk().await?;
    speeds
        .down
        .push(download(&mut client, plan.large, &request::get(&path, "")).await?);
    std::fs::remove_file(files.join(&path[1..]))?;
    Ok(())
}

/// Sends `size` bytes of new content. Returns bytes a second.
async fn upload(client: &mut Client, size: u64, head: &[u8], tail: &[u8]) -> Result<f64> {
    let mut chunk = random_bytes(CHUNK_BYTES);
    let started_at = Instant::now();
    client.write(head).await?;
    let mut remaining = size;
    while remaining > 0 {
        chunk[..8].copy_from_slice(&remaining.to_le_bytes());
        let now = usize::try_from(remaining.min(CHUNK_BYTES as u64))?;
        client.write(&chunk[..now]).await?;
        remaining -= now as u64;
    }
    client.write(tail).await?;
    client.receive().await?.ensure_success()?;
    Ok(size as f64 / started_at.elapsed().as_secs_f64())
}

async fn download(client: &mut Client, size: u64, request: &[u8]) -> Result<f64> {
    let started_at = Instant::now();
    let length = client.download(request).await?;
    ensure!(length == size, "downloaded {length} bytes, uploaded {size}");
    Ok(size as f64 / started_at.elapsed().as_secs_f64())
}
