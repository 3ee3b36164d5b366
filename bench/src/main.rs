//! Measures Strongroom over loopback, compared with the original application, a bare axum route and
//! nginx. Prints a table as Markdown, whose targets are explained in `docs/performance.md`.
//!
//! One thread drives every load, which leaves most of a small machine to the servers. Absolute
//! numbers depend on the machine; the targets are ratios where possible.

#![expect(
    clippy::cast_precision_loss,
    reason = "what is counted here is far below 2^52"
)]

mod baseline;
mod client;
mod load;
mod machine;
mod options;
mod process;
mod progress;
mod random;
mod request;
mod scenarios;
mod table;
mod targets;

use std::{io::Write as _, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::options::{Options, ScenarioName, TargetName};

/// Measures Strongroom compared with the original application, a bare axum route and nginx
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// The strongroom program to measure; by default it is built first
    #[arg(long, value_name = "PROGRAM")]
    server: Option<PathBuf>,

    /// Measure only these rows
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<ScenarioName>,

    /// Exclude this server
    #[arg(long, value_enum, value_delimiter = ',')]
    without: Vec<TargetName>,

    /// Rounds of each server, alternating; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// Measured seconds of a round, after one second of warm-up
    #[arg(long, default_value_t = 4)]
    seconds: u64,

    /// Size of the large file, in MiB
    #[arg(long, default_value_t = 1024)]
    mebibytes: u64,

    /// Number of listening sockets
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,

    /// Folder for the data of the measured servers: on a disk, not in memory
    #[arg(long, default_value = "target/bench-data")]
    scratch: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the bare route that `GET /auth/me` is compared with
    #[command(hide = true)]
    Bare { listen: SocketAddr },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Command::Bare { listen }) = arguments.command {
        return baseline::serve(listen);
    }
    let mut plan = Options {
        server: options::find_server(arguments.server)?,
        only: arguments.only,
        without: arguments.without,
        rounds: arguments.rounds.max(1),
        time: Duration::from_secs(arguments.seconds.max(1)),
        large: arguments.mebibytes << 20,
        sockets: arguments.sockets,
        scratch: options::make_scratch(&arguments.scratch)?,
    };
    let table = match scenarios::measure_all(&plan).await {
        Ok(table) => table,
        Err(why) => {
            plan.scratch.disable_cleanup(true);
            return Err(why.context(format!(
                "logs and data remain in {}",
                plan.scratch.path().display()
            )));
        }
    };
    std::io::stdout().write_all(table.markdown(&machine::describe()).as_bytes())?;
    Ok(())
}
