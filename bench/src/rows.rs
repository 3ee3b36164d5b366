//! The rows of the table, one a file. Each starts new servers and alternates between them.

mod check_in;
mod check_out;
mod events;
mod me;
mod pages;
mod refresh;
mod sign_in;
mod start;
mod transfer;

use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;

use crate::load::{self, Tally, Window, Work};
use crate::plan::{Plan, RowName};
use crate::sides::Api;
use crate::table::{Row, Table, Target, short};

pub(crate) async fn measure_all(plan: &Plan) -> Result<Table> {
    let mut table = Table::default();
    for row in [
        RowName::Start,
        RowName::Me,
        RowName::SignIn,
        RowName::Refresh,
        RowName::CheckOut,
        RowName::CheckIn,
        RowName::Pages,
        RowName::Transfer,
        RowName::Events,
    ] {
        if plan.wants(row) {
            say(&format!("measuring {row:?}"));
            measure(row, plan, &mut table).await?;
        }
    }
    Ok(table)
}

async fn measure(row: RowName, plan: &Plan, table: &mut Table) -> Result<()> {
    match row {
        RowName::Start => start::measure(plan, table).await,
        RowName::Me => me::measure(plan, table).await,
        RowName::SignIn => sign_in::measure(plan, table).await,
        RowName::Refresh => refresh::measure(plan, table).await,
        RowName::CheckOut => check_out::measure(plan, table).await,
        RowName::CheckIn => check_in::measure(plan, table).await,
        RowName::Pages => pages::measure(plan, table).await,
        RowName::Transfer => transfer::measure(plan, table).await,
        RowName::Events => events::measure(plan, table).await,
    }
}

/// Progress, on standard error; the table goes to standard output.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// All rounds of one server. The median counts.
#[derive(Debug, Default)]
struct Rounds(Vec<Tally>);

impl Rounds {
    fn rate(&self) -> f64 {
        self.median(|round| round.per_second)
    }

    fn p99_ms(&self) -> f64 {
        self.median(|round| round.percentile(99).as_secs_f64() * 1e3)
    }

    fn cpu_us(&self) -> f64 {
        self.median(|round| round.cpu.as_secs_f64() * 1e6)
    }

    /// The ratio of throughputs: the median over rounds that ran one after the other.
    fn times(&self, other: &Self) -> f64 {
        load::median(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(mine, theirs)| mine.per_second / theirs.per_second)
                .collect(),
        )
    }

    fn median(&self, value: impl Fn(&Tally) -> f64) -> f64 {
        load::median(self.0.iter().map(value).collect())
    }

    /// Whether this server was measured at all.
    fn is_there(&self) -> bool {
        !self.0.is_empty()
    }

    fn text(&self) -> String {
        let (rate, p99, cpu) = (
            short(self.rate()),
            short(self.p99_ms()),
            short(self.cpu_us()),
        );
        format!("{rate}/s, p99 {p99} ms, {cpu} µs CPU each")
    }
}

/// One round against each of `sides` in turn, `plan.rounds` times. An absent server has no rounds.
async fn in_turns<W: Work, const N: usize>(
    plan: &Plan,
    sides: [Option<&Api>; N],
    works: impl Fn(&Api) -> Vec<W>,
) -> Result<[Rounds; N]> {
    let mut rounds = std::array::from_fn(|_| Rounds::default());
    for _ in 0..plan.rounds {
        for (side, rounds) in sides.iter().zip(&mut rounds) {
            if let Some(api) = side {
                rounds.0.push(one_round(api, works(api), plan.time).await?);
            }
        }
    }
    Ok(rounds)
}

/// The throughput of Strongroom compared with another server. `None` if either is absent.
fn compare(work: &str, ours: &Rounds, (name, other): (&str, &Rounds), least: f64) -> Option<Row> {
    (ours.is_there() && other.is_there()).then(|| Row {
        work: work.to_owned(),
        strongroom: ours.text(),
        beside: format!("{name}: {}", other.text()),
        result: ours.times(other),
        unit: "×",
        target: Target::AtLeast(least),
    })
}

async fn one_round<W: Work>(api: &Api, works: Vec<W>, time: Duration) -> Result<Tally> {
    let window = Window::after_warming_up(time);
    load::run_watching(api.server.process(), api.address(), works, window).await
}
