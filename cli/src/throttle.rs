//! `strongroom throttle`: lists and lifts lockouts, on the data folder.

use std::process::ExitCode;

use auth::{
    Clock, Username,
    store::ThrottleTarget,
    throttle::lockouts::{Lockout, LockoutSource, LockoutSubject, RetryAt},
};
use server::Config;

use crate::{args::ThrottleCommand, console::operator_permit, require_data_folder};

pub(crate) async fn run(command: ThrottleCommand, config: Config) -> anyhow::Result<ExitCode> {
    require_data_folder(&config)?;
    let opened = server::installation::open(&config, Clock::system()).await?;
    let auth = &opened.auth;
    match command {
        ThrottleCommand::List => list(&auth.admin().lockouts(&operator_permit()).await?),
        ThrottleCommand::Lift {
            name: Some(name), ..
        } => {
            auth.admin()
                .lift(
                    &operator_permit(),
                    ThrottleTarget::Account(Username::parse(&name)?),
                )
                .await?;
            out!("{name} is unlocked for all sources.");
        }
        ThrottleCommand::Lift { address, .. } => {
            let network =
                address.ok_or_else(|| anyhow::anyhow!("name an account or set --address"))?;
            auth.admin()
                .lift(&operator_permit(), ThrottleTarget::Network(network))
                .await?;
            out!("{network} is unlocked.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(lockouts: &[Lockout]) {
    if lockouts.is_empty() {
        out!("No lockouts.");
    }
    for lockout in lockouts {
        let (who, what) = match &lockout.subject {
            LockoutSubject::Network(network) => (network.to_string(), "all sign-ins".to_owned()),
            LockoutSubject::Account {
                username,
                kind: secret,
                from,
            } => {
                let from = match from {
                    LockoutSource::Unknown => "from unknown sources".to_owned(),
                    LockoutSource::Network(network) => format!("from {network}"),
                    LockoutSource::Device => "from a known browser".to_owned(),
                };
                (username.to_string(), format!("{}, {from}", secret.as_str()))
            }
        };
        let until = match lockout.retry_at {
            RetryAt::Now => "retry allowed".to_owned(),
            RetryAt::At(at) => format!("retry at {at:.0}"),
            RetryAt::Never => "locked until lifted".to_owned(),
        };
        out!(
            "{who:<24} {what}: {} failures, last {:.0}, {until}",
            lockout.failures,
            lockout.last_at
        );
    }
}
