//! The time from start to the first response, and the server's memory without requests.

use std::time::Duration;

use anyhow::Result;

use crate::{
    load,
    options::{Options, TargetName},
    table::{ResultRow, Table, Threshold, format_short},
    targets,
};

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    if !plan.includes_target(TargetName::Strongroom) {
        return Ok(());
    }
    let (mut first, mut restarted, mut idle_memory) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        let folder = format!("start-{round}");
        first.push(
            targets::start_strongroom(plan, &folder)
                .await?
                .start_up
                .as_secs_f64(),
        );
        let server = targets::start_strongroom(plan, &folder).await?;
        restarted.push(server.start_up.as_secs_f64());
        tokio::time::sleep(Duration::from_secs(1)).await;
        idle_memory.push(server.process().memory()? as f64 / 1024.0);
    }
    let (first, restarted, idle_memory) = (
        load::median(first),
        load::median(restarted),
        load::median(idle_memory),
    );
    table.add(ResultRow {
        label: "start to first response, data folder created".into(),
        strongroom: format!(
            "{} s; {} s on an existing folder",
            format_short(first),
            format_short(restarted)
        ),
        compared_with: String::new(),
        result: first,
        unit: " s",
        target: Threshold::Under(0.2),
    });
    table.add(ResultRow {
        label: "memory at rest".into(),
        strongroom: format!("{} MiB", format_short(idle_memory)),
        compared_with: String::new(),
        result: idle_memory,
        unit: " MiB",
        target: Threshold::Under(40.0),
    });
    Ok(())
}
