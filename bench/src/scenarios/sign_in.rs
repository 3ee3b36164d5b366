//! Sign-in throughput, and its effect on other requests.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Params, Version};

use super::Rounds;
use crate::{
    load::{self, Measurement, RequestCycle, Window},
    machine::cores,
    options::Options,
    request,
    table::{ResultRow, Table, Threshold, format_short},
    targets::{self, ApiServer},
};

/// Waiting sign-ins for each core: enough to keep every core busy, few enough that none waits two
/// seconds.
const CLIENTS_PER_CORE: usize = 4;

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    let accounts = cores() * CLIENTS_PER_CORE;
    let Some(api) = targets::strongroom_with_accounts(plan, "sign-in", accounts).await? else {
        return Ok(());
    };
    let (mut sign_ins, mut others, mut bounds) = (Rounds::default(), Rounds::default(), Vec::new());
    for _ in 0..plan.rounds {
        let bound = cores() as f64 / time_of_one_hash()?.as_secs_f64();
        let (signed_in, other) = measure_round(&api, accounts, plan.time).await?;
        bounds.push(signed_in.per_second / bound);
        sign_ins.0.push(signed_in);
        others.0.push(other);
    }
    let ratio = load::median(bounds);
    table.add(ResultRow {
        label: "sign-in (Argon2id, 64 MiB, t=3)".into(),
        strongroom: format!("{}/s", format_short(sign_ins.rate())),
        compared_with: format!(
            "{} cores ÷ one hash: {}/s",
            cores(),
            format_short(sign_ins.rate() / ratio)
        ),
        result: ratio,
        unit: "×",
        target: Threshold::AtLeast(0.9),
    });
    table.add(ResultRow {
        label: "`GET /auth/me` of another client meanwhile, p99".into(),
        strongroom: format!("{} ms", format_short(others.p99_ms())),
        compared_with: String::new(),
        result: others.p99_ms(),
        unit: " ms",
        target: Threshold::Under(10.0),
    });
    Ok(())
}

/// Sign-ins at full speed, while another client requests `/auth/me` a hundred times a second.
async fn measure_round(
    api: &ApiServer,
    accounts: usize,
    time: Duration,
) -> Result<(Measurement, Measurement)> {
    let window = Window::after_warm_up(time);
    let workloads = (0..accounts)
        .map(|nth| RequestCycle::new(vec![targets::sign_in(nth)]))
        .collect();
    let other = RequestCycle::new(vec![request::get("/auth/me", api.token(0))]);
    tokio::try_join!(
        load::run(api.address(), workloads, window),
        load::run_paced(api.address(), other, window, Duration::from_millis(10)),
    )
}

/// The median of five hashes, on one otherwise idle core, by the same crate.
fn time_of_one_hash() -> Result<Duration> {
    let params = Params::new(64 << 10, 3, 1, None).map_err(|why| anyhow!("{why}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut times = Vec::new();
    for _ in 0..5 {
        let started_at = Instant::now();
        let mut hash = [0; 32];
        argon2
            .hash_password_into(b"seven lathes hum at dawn", b"0123456789abcdef", &mut hash)
            .map_err(|why| anyhow!("{why}"))?;
        std::hint::black_box(hash);
        times.push(started_at.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
