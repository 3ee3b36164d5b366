//! `GET /auth/me`, signed in: the cost of authentication.

use std::process::Command;

use anyhow::Result;

use super::{alternate_rounds, comparison_row};
use crate::{
    load::RequestCycle,
    options::Options,
    process::{Server, free_address},
    request,
    table::Table,
    targets::{self, ApiServer},
};

const CLIENTS: usize = 32;
const ACCOUNTS: usize = 8;

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    let strongroom = targets::strongroom_with_accounts(plan, "me", ACCOUNTS).await?;
    let original = targets::original_with_accounts(plan, "me", ACCOUNTS).await?;
    let baseline = start_baseline(plan).await?;
    let workloads = |api: &ApiServer| -> Vec<RequestCycle> {
        (0..CLIENTS)
            .map(|nth| RequestCycle::new(vec![request::get("/auth/me", api.token(nth))]))
            .collect()
    };
    let targets = [strongroom.as_ref(), Some(&baseline), original.as_ref()];
    let [ours, baseline, original] = alternate_rounds(plan, targets, workloads).await?;
    for (name, other, min_ratio) in [
        ("bare axum", &baseline, 0.85),
        ("original", &original, 50.0),
    ] {
        table.extend(comparison_row(
            "signed-in `GET /auth/me`, 32 clients",
            &ours,
            (name, other),
            min_ratio,
        ));
    }
    Ok(())
}

/// The bare route, in a process of its own.
async fn start_baseline(plan: &Options) -> Result<ApiServer> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bare", &address.to_string()]);
    let server = Server::start(
        &mut command,
        address,
        "/auth/me",
        &plan.scratch.path().join("bare.log"),
    )
    .await?;
    // It ignores the token, but both sides must read the same number of bytes.
    Ok(ApiServer {
        server,
        tokens: vec!["x".repeat(400)],
    })
}
