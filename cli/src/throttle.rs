//! `strongroom throttle`: who was wrong too often, on the data folder itself.

use std::process::ExitCode;

use auth::{
    Clock, Username,
    lockouts::{LockoutSubject, LockoutSource, Lockout, RetryAt},
    store::ThrottleTarget,
};
use server::Config;

use crate::{args::ThrottleCommand, console::operator, refuse_nothing};

pub(crate) async fn run(command: ThrottleCommand, config: Config) -> anyhow::Result<ExitCode> {
    refuse_nothing(&config)?;
    let opened = server::serve::open(&config, Clock::system()).await?;
    let auth = &opened.auth;
    match command {
        ThrottleCommand::List => list(&auth.lockouts(&operator()).await?),
        ThrottleCommand::Lift {
            name: Some(name), ..
        } => {
            auth.lift(&operator(), ThrottleTarget::Account(Username::parse(&name)?))
                .await?;
            say!("{name} may try again, from anywhere.");
        }
        ThrottleCommand::Lift { address, .. } => {
            let network = address.ok_or_else(|| anyhow::anyhow!("name an account or --address"))?;
            auth.lift(&operator(), ThrottleTarget::Network(network)).await?;
            say!("{network} may try again.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(lockouts: &[Lockout]) {
    if lockouts.is_empty() {
        say!("Nobody is locked out.");
    }
    for lockout in lockouts {
        let (who, what) = match &lockout.of {
            LockoutSubject::Network(network) => (network.to_string(), "anything, from there".to_owned()),
            LockoutSubject::Account {
                username,
                secret,
                from,
            } => {
                let from = match from {
                    LockoutSource::Unknown => "from elsewhere".to_owned(),
                    LockoutSource::Network(network) => format!("from {network}"),
                    LockoutSource::Device => "from a known browser".to_owned(),
                };
                (username.to_string(), format!("{}, {from}", secret.as_str()))
            }
        };
        let until = match lockout.until {
            RetryAt::Now => "may try again".to_owned(),
            RetryAt::At(at) => format!("next try {at:.0}"),
            RetryAt::Never => "shut until lifted".to_owned(),
        };
        say!(
            "{who:<24} {what}: {} failures, last {:.0}, {until}",
            lockout.failures,
            lockout.last_at
        );
    }
}
