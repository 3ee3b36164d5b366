//! Check-out and cancel, each durable when it is answered.

use anyhow::Result;

use super::{compare, in_turns};
use crate::load::Cycle;
use crate::plan::Plan;
use crate::request;
use crate::sides::{self, Api};
use crate::table::{Row, Table, Target};

const CLIENTS: usize = 32;
const PEOPLE: usize = 8;

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    let strongroom = sides::strongroom(plan, "check-out", PEOPLE).await?;
    let original = sides::original(plan, "check-out", PEOPLE).await?;
    for api in [&strongroom, &original].into_iter().flatten() {
        api.add_files(CLIENTS).await?;
    }
    let [ours, original] = in_turns(plan, [strongroom.as_ref(), original.as_ref()], works).await?;
    table.extend(compare(
        "check-out / cancel, durable, 32 clients",
        &ours,
        ("original", &original),
        50.0,
    ));
    table.extend(ours.is_there().then(|| Row {
        work: "check-out / cancel on SQLite, 32 clients".into(),
        strongroom: ours.text(),
        beside: String::new(),
        result: ours.rate(),
        unit: "/s",
        target: Target::AtLeast(3000.0),
    }));
    Ok(())
}

/// One file per client: the row measures the store, not contention for a lock.
fn works(api: &Api) -> Vec<Cycle> {
    (0..CLIENTS)
        .map(|nth| {
            let ask = |action| {
                request::post(
                    &format!("/api/files/part-{nth}.step/{action}"),
                    api.token(nth),
                )
            };
            Cycle::of(vec![ask("checkout"), ask("cancel")])
        })
        .collect()
}
