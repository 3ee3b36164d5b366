//! `GET /auth/me`, signed in: the cost of authentication.

use std::process::Command;

use anyhow::Result;

use super::{compare, in_turns};
use crate::load::Cycle;
use crate::plan::Plan;
use crate::process::{Server, free_address};
use crate::request;
use crate::sides::{self, Api};
use crate::table::Table;

const CLIENTS: usize = 32;
const PEOPLE: usize = 8;

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    let strongroom = sides::strongroom(plan, "me", PEOPLE).await?;
    let original = sides::original(plan, "me", PEOPLE).await?;
    let bare = bare(plan).await?;
    let works = |api: &Api| -> Vec<Cycle> {
        (0..CLIENTS)
            .map(|nth| Cycle::of(vec![request::get("/auth/me", api.token(nth))]))
            .collect()
    };
    let sides = [strongroom.as_ref(), Some(&bare), original.as_ref()];
    let [ours, bare, original] = in_turns(plan, sides, works).await?;
    for (name, other, least) in [("bare axum", &bare, 0.85), ("original", &original, 50.0)] {
        table.extend(compare(
            "signed-in `GET /auth/me`, 32 clients",
            &ours,
            (name, other),
            least,
        ));
    }
    Ok(())
}

/// The bare route, in a process of its own.
async fn bare(plan: &Plan) -> Result<Api> {
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
    Ok(Api {
        server,
        tokens: vec!["x".repeat(400)],
    })
}
