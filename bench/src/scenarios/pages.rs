//! One page of a long list and of a long history, requested by one client.

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;

use super::measure_round;
use crate::{
    client::Client,
    load::{self, RequestCycle},
    options::Options,
    request,
    table::{ResultRow, Table, Threshold, format_short},
    targets::{self, ApiServer},
};

const FILES: usize = 2000;
const REVISIONS: usize = 2000;
/// Clients that fill the vault in parallel.
const UPLOADERS: usize = 16;

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    let Some(api) = targets::strongroom_with_accounts(plan, "pages", 1).await? else {
        return Ok(());
    };
    try_join_all((0..UPLOADERS).map(|uploader| add_files(&api, uploader)))
        .await
        .context("adding files")?;
    add_revisions(&api).await.context("adding revisions")?;
    for (label, path) in [
        (
            format!("a page of 100 in a vault of {FILES} files, median"),
            "/api/files?limit=100",
        ),
        (
            format!("50 of {REVISIONS} revisions, median"),
            "/api/files/part-0.step/history?limit=50",
        ),
    ] {
        let mut medians = Vec::new();
        for _ in 0..plan.rounds {
            let workloads = vec![RequestCycle::new(vec![request::get(path, api.token(0))])];
            medians.push(
                measure_round(&api, workloads, plan.time)
                    .await?
                    .percentile(50)
                    .as_secs_f64()
                    * 1e3,
            );
        }
        let median = load::median(medians);
        table.add(ResultRow {
            label,
            strongroom: format!("{} ms", format_short(median)),
            compared_with: String::new(),
            result: median,
            unit: " ms",
            target: Threshold::Under(2.0),
        });
    }
    table.note("Pages are timed at the client. A vault of 1,000,000 files is not measured here.");
    Ok(())
}

async fn add_files(api: &ApiServer, uploader: usize) -> Result<()> {
    let mut client = Client::connect(api.address()).await?;
    for nth in (uploader..FILES).step_by(UPLOADERS) {
        let path = format!("/api/files/part-{nth}.step/content");
        client
            .send(&request::send_file(
                "PUT",
                &path,
                api.token(0),
                path.as_bytes(),
            ))
            .await?
            .ensure_success()?;
    }
    Ok(())
}

async fn add_revisions(api: &ApiServer) -> Result<()> {
    let mut client = Client::connect(api.address()).await?;
    let check_out = request::post("/api/files/part-0.step/checkout", api.token(0));
    for nth in 1..REVISIONS {
        client.send(&check_out).await?.ensure_success()?;
        let content = format!("revision {nth}");
        let path = "/api/files/part-0.step/checkin";
        client
            .send(&request::send_file(
                "POST",
                path,
                api.token(0),
                content.as_bytes(),
            ))
            .await?
            .ensure_success()?;
    }
    Ok(())
}
