//! The time from start to the first response, and the server's memory without requests.

use std::time::Duration;

use anyhow::Result;

use crate::load;
use crate::plan::{Plan, SideName};
use crate::sides;
use crate::table::{Row, Table, Target, short};

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    if !plan.has(SideName::Strongroom) {
        return Ok(());
    }
    let (mut first, mut again, mut at_rest) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        let folder = format!("start-{round}");
        first.push(
            sides::strongroom_alone(plan, &folder)
                .await?
                .start_up
                .as_secs_f64(),
        );
        let server = sides::strongroom_alone(plan, &folder).await?;
        again.push(server.start_up.as_secs_f64());
        tokio::time::sleep(Duration::from_secs(1)).await;
        at_rest.push(server.process().memory()? as f64 / 1024.0);
    }
    let (first, again, at_rest) = (
        load::median(first),
        load::median(again),
        load::median(at_rest),
    );
    table.add(Row {
        work: "start to first response, data folder created".into(),
        strongroom: format!(
            "{} s; {} s on an existing folder",
            short(first),
            short(again)
        ),
        beside: String::new(),
        result: first,
        unit: " s",
        target: Target::Under(0.2),
    });
    table.add(Row {
        work: "memory at rest".into(),
        strongroom: format!("{} MiB", short(at_rest)),
        beside: String::new(),
        result: at_rest,
        unit: " MiB",
        target: Target::Under(40.0),
    });
    Ok(())
}
