//! Refresh tokens rotated at full speed, and the effect of password guessing on other requests.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Rounds;
use crate::{
    client::{self, Response},
    load::{self, Measurement, RequestCycle, Window, Workload},
    machine::cores,
    options::Options,
    request,
    table::{ResultRow, Table, Threshold, format_short},
    targets::{self, ApiServer},
};

const CLIENTS: usize = 32;
/// Guessing clients, each ten times a second: 200 wrong sign-ins a second together.
const ATTACKERS: usize = 20;

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    let Some(api) = targets::strongroom_with_accounts(plan, "refresh", CLIENTS).await? else {
        return Ok(());
    };
    let refreshes = measure_refreshes(plan, &api).await?;
    let original_sign_ins = match targets::original_with_accounts(plan, "refresh", cores()).await? {
        Some(original) => Some(measure_sign_ins(plan, &original).await?),
        None => None,
    };
    let under_attack = measure_under_attack(plan, &api).await?;
    if let Some(original_sign_ins) = original_sign_ins {
        table.add(ResultRow {
            label: "refreshing an access token, 32 clients".into(),
            strongroom: format!("{}/s", format_short(refreshes.rate())),
            compared_with: format!(
                "original, which can only sign in again: {}/s",
                format_short(original_sign_ins.rate())
            ),
            result: refreshes.rate() / original_sign_ins.rate(),
            unit: "×",
            target: Threshold::AtLeast(50.0),
        });
    }
    table.add(ResultRow {
        label: "`GET /auth/me` of another client during 200 wrong sign-ins a second, p99".into(),
        strongroom: format!("{} ms", format_short(under_attack.p99_ms())),
        compared_with: String::new(),
        result: under_attack.p99_ms(),
        unit: " ms",
        target: Threshold::Under(10.0),
    });
    Ok(())
}

/// One session: each response contains the token of the next request.
struct RefreshWorkload {
    request: Vec<u8>,
}

impl RefreshWorkload {
    fn with_token(token: &str) -> Self {
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        Self {
            request: request::post_form("/auth/token", &form),
        }
    }

    async fn sign_in(api: &ApiServer, nth: usize) -> Result<Self> {
        let response = client::send_once(api.address(), &targets::sign_in(nth))
            .await?
            .json()?;
        Ok(Self::with_token(
            response["refresh_token"]
                .as_str()
                .context("no refresh token")?,
        ))
    }
}

impl Workload for RefreshWorkload {
    fn next_request(&mut self) -> &[u8] {
        &self.request
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn on_response(&mut self, response: Response) -> Result<()> {
        let response = response.ensure_success()?.json()?;
        *self = Self::with_token(
            response["refresh_token"]
                .as_str()
                .context("no refresh token")?,
        );
        Ok(())
    }
}

async fn measure_refreshes(plan: &Options, api: &ApiServer) -> Result<Rounds> {
    let mut rounds = Rounds::default();
    for _ in 0..plan.rounds {
        let mut workloads = Vec::new();
        for nth in 0..CLIENTS {
            workloads.push(RefreshWorkload::sign_in(api, nth).await?);
        }
        rounds
            .0
            .push(load::run(api.address(), workloads, Window::after_warm_up(plan.time)).await?);
    }
    Ok(rounds)
}

async fn measure_sign_ins(plan: &Options, api: &ApiServer) -> Result<Rounds> {
    let mut rounds = Rounds::default();
    for _ in 0..plan.rounds {
        let workloads: Vec<_> = (0..cores())
            .map(|nth| RequestCycle::new(vec![targets::sign_in(nth)]))
            .collect();
        rounds
            .0
            .push(load::run(api.address(), workloads, Window::after_warm_up(plan.time)).await?);
    }
    Ok(rounds)
}

/// A wrong sign-in, repeated whatever the response is.
struct WrongSignIns(Vec<u8>);

impl WrongSignIns {
    fn new(nth: usize) -> Self {
        Self(request::post_form(
            "/auth/token",
            &format!("username=machinist{nth}&password=wrong+wrong+wrong+{nth}"),
        ))
    }
}

impl Workload for WrongSignIns {
    fn next_request(&mut self) -> &[u8] {
        &self.0
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn on_response(&mut self, _: Response) -> Result<()> {
        Ok(())
    }
}

async fn measure_under_attack(plan: &Options, api: &ApiServer) -> Result<Rounds> {
    let mut rounds = Rounds::default();
    for _ in 0..plan.rounds {
        let window = Window::after_warm_up(plan.time);
        let mut attackers = tokio::task::JoinSet::new();
        for nth in 0..ATTACKERS {
            attackers.spawn(load::run_paced(
                api.address(),
                WrongSignIns::new(nth),
                window,
                Duration::from_millis(100),
            ));
        }
        let other = RequestCycle::new(vec![request::get("/auth/me", api.token(CLIENTS - 1))]);
        let tally: Measurement =
            load::run_paced(api.address(), other, window, Duration::from_millis(10)).await?;
        while let Some(done) = attackers.join_next().await {
            done??;
        }
        rounds.0.push(tally);
    }
    Ok(rounds)
}
