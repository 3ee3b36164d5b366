//! Sign-in throughput, and its effect on other requests.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Params, Version};

use super::Rounds;
use crate::load::{self, Cycle, Tally, Window};
use crate::machine::cores;
use crate::plan::Plan;
use crate::request;
use crate::sides::{self, Api};
use crate::table::{Row, Table, Target, short};

/// Waiting sign-ins for each core: enough to keep every core busy, few enough that none waits two
/// seconds.
const WAITING: usize = 4;

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    let people = cores() * WAITING;
    let Some(api) = sides::strongroom(plan, "sign-in", people).await? else {
        return Ok(());
    };
    let (mut sign_ins, mut others, mut bounds) = (Rounds::default(), Rounds::default(), Vec::new());
    for _ in 0..plan.rounds {
        let bound = cores() as f64 / time_of_one_hash()?.as_secs_f64();
        let (signed_in, other) = one_round(&api, people, plan.time).await?;
        bounds.push(signed_in.per_second / bound);
        sign_ins.0.push(signed_in);
        others.0.push(other);
    }
    let ratio = load::median(bounds);
    table.add(Row {
        work: "sign-in (Argon2id, 64 MiB, t=3)".into(),
        strongroom: format!("{}/s", short(sign_ins.rate())),
        beside: format!(
            "{} cores ÷ one hash: {}/s",
            cores(),
            short(sign_ins.rate() / ratio)
        ),
        result: ratio,
        unit: "×",
        target: Target::AtLeast(0.9),
    });
    table.add(Row {
        work: "`GET /auth/me` of another client meanwhile, p99".into(),
        strongroom: format!("{} ms", short(others.p99_ms())),
        beside: String::new(),
        result: others.p99_ms(),
        unit: " ms",
        target: Target::Under(10.0),
    });
    Ok(())
}

/// Sign-ins at full speed, while another client requests `/auth/me` a hundred times a second.
async fn one_round(api: &Api, people: usize, time: Duration) -> Result<(Tally, Tally)> {
    let window = Window::after_warming_up(time);
    let works = (0..people)
        .map(|nth| Cycle::of(vec![sides::sign_in(nth)]))
        .collect();
    let other = Cycle::of(vec![request::get("/auth/me", api.token(0))]);
    tokio::try_join!(
        load::run(api.address(), works, window),
        load::run_paced(api.address(), other, window, Duration::from_millis(10)),
    )
}

/// The median of five hashes, on one otherwise idle core, by the same crate.
fn time_of_one_hash() -> Result<Duration> {
    let params = Params::new(64 << 10, 3, 1, None).map_err(|why| anyhow!("{why}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let mut hash = [0; 32];
        argon2
            .hash_password_into(b"seven lathes hum at dawn", b"0123456789abcdef", &mut hash)
            .map_err(|why| anyhow!("{why}"))?;
        std::hint::black_box(hash);
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
