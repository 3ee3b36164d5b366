//! Check-out and cancel, each durable when it is answered.

use anyhow::Result;

use super::{alternate_rounds, comparison_row};
use crate::{
    load::RequestCycle,
    options::Options,
    request,
    table::{ResultRow, Table, Threshold},
    targets::{self, ApiServer},
};

const CLIENTS: usize = 32;
const ACCOUNTS: usize = 8;

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    let strongroom = targets::strongroom_with_accounts(plan, "check-out", ACCOUNTS).await?;
    let original = targets::original_with_accounts(plan, "check-out", ACCOUNTS).await?;
    for api in [&strongroom, &original].into_iter().flatten() {
        api.add_files(CLIENTS).await?;
    }
    let [ours, original] =
        alternate_rounds(plan, [strongroom.as_ref(), original.as_ref()], workloads).await?;
    table.extend(comparison_row(
        "check-out / cancel, durable, 32 clients",
        &ours,
        ("original", &original),
        50.0,
    ));
    table.extend(ours.has_results().then(|| ResultRow {
        label: "check-out / cancel on SQLite, 32 clients".into(),
        strongroom: ours.summary(),
        compared_with: String::new(),
        result: ours.rate(),
        unit: "/s",
        target: Threshold::AtLeast(3000.0),
    }));
    Ok(())
}

/// One file per client: the row measures the store, not contention for a lock.
fn workloads(api: &ApiServer) -> Vec<RequestCycle> {
    (0..CLIENTS)
        .map(|nth| {
            let request_for = |action| {
                request::post(
                    &format!("/api/files/part-{nth}.step/{action}"),
                    api.token(nth),
                )
            };
            RequestCycle::new(vec![request_for("checkout"), request_for("cancel")])
        })
        .collect()
}
