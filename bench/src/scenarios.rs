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

use std::time::Duration;

use anyhow::Result;

use crate::{
    load::{self, Measurement, Window, Workload},
    options::{Options, ScenarioName},
    progress,
    table::{ResultRow, Table, Threshold, format_short},
    targets::ApiServer,
};

pub(crate) async fn measure_all(plan: &Options) -> Result<Table> {
    let mut table = Table::default();
    for scenario in [
        ScenarioName::Start,
        ScenarioName::Me,
        ScenarioName::SignIn,
        ScenarioName::Refresh,
        ScenarioName::CheckOut,
        ScenarioName::CheckIn,
        ScenarioName::Pages,
        ScenarioName::Transfer,
        ScenarioName::Events,
    ] {
        if plan.includes_scenario(scenario) {
            progress::report(&format!("measuring {scenario:?}"));
            measure(scenario, plan, &mut table).await?;
        }
    }
    Ok(table)
}

async fn measure(scenario: ScenarioName, plan: &Options, table: &mut Table) -> Result<()> {
    match scenario {
        ScenarioName::Start => start::measure(plan, table).await,
        ScenarioName::Me => me::measure(plan, table).await,
        ScenarioName::SignIn => sign_in::measure(plan, table).await,
        ScenarioName::Refresh => refresh::measure(plan, table).await,
        ScenarioName::CheckOut => check_out::measure(plan, table).await,
        ScenarioName::CheckIn => check_in::measure(plan, table).await,
        ScenarioName::Pages => pages::measure(plan, table).await,
        ScenarioName::Transfer => transfer::measure(plan, table).await,
        ScenarioName::Events => events::measure(plan, table).await,
    }
}

/// All rounds of one server. The median counts.
#[derive(Debug, Default)]
struct Rounds(Vec<Measurement>);

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
    fn median_ratio(&self, other: &Self) -> f64 {
        load::median(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(mine, theirs)| mine.per_second / theirs.per_second)
                .collect(),
        )
    }

    fn median(&self, value: impl Fn(&Measurement) -> f64) -> f64 {
        load::median(self.0.iter().map(value).collect())
    }

    /// Whether this server was measured at all.
    fn has_results(&self) -> bool {
        !self.0.is_empty()
    }

    fn summary(&self) -> String {
        let (rate, p99, cpu) = (
            format_short(self.rate()),
            format_short(self.p99_ms()),
            format_short(self.cpu_us()),
        );
        format!("{rate}/s, p99 {p99} ms, {cpu} µs CPU each")
    }
}

/// One round against each of `sides` in turn, `plan.rounds` times. An absent server has no rounds.
async fn alternate_rounds<W: Workload, const N: usize>(
    plan: &Options,
    targets: [Option<&ApiServer>; N],
    workloads: impl Fn(&ApiServer) -> Vec<W>,
) -> Result<[Rounds; N]> {
    let mut rounds = std::array::from_fn(|_| Rounds::default());
    for _ in 0..plan.rounds {
        for (target, rounds) in targets.iter().zip(&mut rounds) {
            if let Some(api) = target {
                rounds
                    .0
                    .push(measure_round(api, workloads(api), plan.time).await?);
            }
        }
    }
    Ok(rounds)
}

/// The throughput of Strongroom compared with another server. `None` if either is absent.
fn comparison_row(
    label: &str,
    ours: &Rounds,
    (name, other): (&str, &Rounds),
    min_ratio: f64,
) -> Option<ResultRow> {
    (ours.has_results() && other.has_results()).then(|| ResultRow {
        label: label.to_owned(),
        strongroom: ours.summary(),
        compared_with: format!("{name}: {}", other.summary()),
        result: ours.median_ratio(other),
        unit: "×",
        target: Threshold::AtLeast(min_ratio),
    })
}

async fn measure_round<W: Workload>(
    api: &ApiServer,
    workloads: Vec<W>,
    time: Duration,
) -> Result<Measurement> {
    let window = Window::after_warm_up(time);
    load::run_with_cpu_time(api.server.process(), api.address(), workloads, window).await
}
