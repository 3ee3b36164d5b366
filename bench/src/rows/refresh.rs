//! Refresh tokens rotated at full speed, and the effect of password guessing on other requests.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Rounds;
use crate::client::{self, Answer};
use crate::load::{self, Cycle, Tally, Window, Work};
use crate::machine::cores;
use crate::plan::Plan;
use crate::request;
use crate::sides::{self, Api};
use crate::table::{Row, Table, Target, short};

const CLIENTS: usize = 32;
/// Guessing clients, each ten times a second: 200 wrong sign-ins a second together.
const GUESSERS: usize = 20;

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    let Some(api) = sides::strongroom(plan, "refresh", CLIENTS).await? else {
        return Ok(());
    };
    let renewals = renewals(plan, &api).await?;
    let beside = match sides::original(plan, "refresh", cores()).await? {
        Some(original) => Some(sign_ins(plan, &original).await?),
        None => None,
    };
    let others = others_meanwhile(plan, &api).await?;
    if let Some(beside) = beside {
        table.add(Row {
            work: "refreshing an access token, 32 clients".into(),
            strongroom: format!("{}/s", short(renewals.rate())),
            beside: format!(
                "original, which can only sign in again: {}/s",
                short(beside.rate())
            ),
            result: renewals.rate() / beside.rate(),
            unit: "×",
            target: Target::AtLeast(50.0),
        });
    }
    table.add(Row {
        work: "`GET /auth/me` of another client during 200 wrong sign-ins a second, p99".into(),
        strongroom: format!("{} ms", short(others.p99_ms())),
        beside: String::new(),
        result: others.p99_ms(),
        unit: " ms",
        target: Target::Under(10.0),
    });
    Ok(())
}

/// One session: each response contains the token of the next request.
struct Renewing {
    request: Vec<u8>,
}

impl Renewing {
    fn with(token: &str) -> Self {
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        Self {
            request: request::post_form("/auth/token", &form),
        }
    }

    async fn begin(api: &Api, nth: usize) -> Result<Self> {
        let answer = client::ask_once(api.address(), &sides::sign_in(nth))
            .await?
            .json()?;
        Ok(Self::with(
            answer["refresh_token"]
                .as_str()
                .context("no refresh token")?,
        ))
    }
}

impl Work for Renewing {
    fn next(&mut self) -> &[u8] {
        &self.request
    }

    fn is_at_rest(&self) -> bool {
        true
    }

    fn hear(&mut self, answer: Answer) -> Result<()> {
        let answer = answer.fine()?.json()?;
        *self = Self::with(
            answer["refresh_token"]
                .as_str()
                .context("no refresh token")?,
        );
        Ok(())
    }
}

async fn renewals(plan: &Plan, api: &Api) -> Result<Rounds> {
    let mut rounds = Rounds::default();
    for _ in 0..plan.rounds {
        let mut works = Vec::new();
        for nth in 0..CLIENTS {
            works.push(Renewing::begin(api, nth).await?);
        }
        rounds
            .0
            .push(load::run(api.address(), works, Window::after_warming_up(plan.time)).await?);
    }
    Ok(rounds)
}

async fn sign_ins(plan: &Plan, api: &Api) -> Result<Rounds> {
    let mut rounds = Rounds::default();
    for _ in 0..plan.rounds {
        let works: Vec<_> = (0..cores())
            .map(|nth| Cycle::of(vec![sides::sign_in(nth)]))
            .collect();
        rounds
            .0
            .push(load::run(api.address(), works, Window::after_warming_up(plan.time)).await?);
    }
    Ok(rounds)
}

/// A wrong sign-in, repeated whatever the response is.
struct Guessing(Vec<u8>);

impl Guessing {
    fn of(nth: usize) -> Self {
        Self(request::post_form(
            "/auth/token",
            &format!("username=machinist{nth}&password=wrong+wrong+wrong+{nth}"),
        ))
    }
}

impl Work for Guessing {
    fn next(&mut self) -> &[u8] {
        &self.0
    }

    fn is_at_rest(&self) -> bool {
        true
    }

    fn hear(&mut self, _: Answer) -> Result<()> {
        Ok(())
    }
}

async fn others_meanwhile(plan: &Plan, api: &Api) -> Result<Rounds> {
    let mut rounds = Rounds::default();
    for _ in 0..plan.rounds {
        let window = Window::after_warming_up(plan.time);
        let mut guessers = tokio::task::JoinSet::new();
        for nth in 0..GUESSERS {
            guessers.spawn(load::run_paced(
                api.address(),
                Guessing::of(nth),
                window,
                Duration::from_millis(100),
            ));
        }
        let other = Cycle::of(vec![request::get("/auth/me", api.token(CLIENTS - 1))]);
        let tally: Tally =
            load::run_paced(api.address(), other, window, Duration::from_millis(10)).await?;
        while let Some(done) = guessers.join_next().await {
            done??;
        }
        rounds.0.push(tally);
    }
    Ok(rounds)
}
