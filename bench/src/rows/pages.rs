//! One page of a long list and of a long history, requested by one client.

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;

use super::one_round;
use crate::client::Client;
use crate::load::{self, Cycle};
use crate::plan::Plan;
use crate::request;
use crate::sides::{self, Api};
use crate::table::{Row, Table, Target, short};

const FILES: usize = 2000;
const REVISIONS: usize = 2000;
/// Clients that fill the vault in parallel.
const HANDS: usize = 16;

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    let Some(api) = sides::strongroom(plan, "pages", 1).await? else {
        return Ok(());
    };
    try_join_all((0..HANDS).map(|hand| add_files(&api, hand)))
        .await
        .context("adding files")?;
    add_revisions(&api).await.context("adding revisions")?;
    for (work, path) in [
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
            let works = vec![Cycle::of(vec![request::get(path, api.token(0))])];
            medians.push(
                one_round(&api, works, plan.time)
                    .await?
                    .percentile(50)
                    .as_secs_f64()
                    * 1e3,
            );
        }
        let median = load::median(medians);
        table.add(Row {
            work,
            strongroom: format!("{} ms", short(median)),
            beside: String::new(),
            result: median,
            unit: " ms",
            target: Target::Under(2.0),
        });
    }
    table.note("Pages are timed at the client. A vault of 1,000,000 files is not measured here.");
    Ok(())
}

async fn add_files(api: &Api, hand: usize) -> Result<()> {
    let mut client = Client::connect(api.address()).await?;
    for nth in (hand..FILES).step_by(HANDS) {
        let path = format!("/api/files/part-{nth}.step/content");
        client
            .ask(&request::send_file(
                "PUT",
                &path,
                api.token(0),
                path.as_bytes(),
            ))
            .await?
            .fine()?;
    }
    Ok(())
}

async fn add_revisions(api: &Api) -> Result<()> {
    let mut client = Client::connect(api.address()).await?;
    let check_out = request::post("/api/files/part-0.step/checkout", api.token(0));
    for nth in 1..REVISIONS {
        client.ask(&check_out).await?.fine()?;
        let content = format!("revision {nth}");
        let path = "/api/files/part-0.step/checkin";
        client
            .ask(&request::send_file(
                "POST",
                path,
                api.token(0),
                content.as_bytes(),
            ))
            .await?
            .fine()?;
    }
    Ok(())
}
