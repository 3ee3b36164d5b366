//! `strongroom throttle`: who was wrong too often, on the data folder itself.

use std::process::ExitCode;

use auth::{
    Clock, Username,
    lockouts::{Kept, KeptFrom, Lockout, Until},
    store::Whose,
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
            auth.lift(&operator(), Whose::Account(Username::parse(&name)?))
                .await?;
            say!("{name} may try again, from anywhere.");
        }
        ThrottleCommand::Lift { address, .. } => {
            let network = address.ok_or_else(|| anyhow::anyhow!("name an account or --address"))?;
            auth.lift(&operator(), Whose::Network(network)).await?;
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
            Kept::Network(network) => (network.to_string(), "anything, from there".to_owned()),
            Kept::Account {
                username,
                secret,
                from,
            } => {
                let from = match from {
                    KeptFrom::Elsewhere => "from elsewhere".to_owned(),
                    KeptFrom::Network(network) => format!("from {network}"),
                    KeptFrom::Device => "from a known browser".to_owned(),
                };
                (username.to_string(), format!("{}, {from}", secret.as_str()))
            }
        };
        let until = match lockout.until {
            Until::Now => "may try again".to_owned(),
            Until::Then(at) => format!("next try {at:.0}"),
            Until::Lifted => "shut until lifted".to_owned(),
        };
        say!(
            "{who:<24} {what}: {} failures, last {:.0}, {until}",
            lockout.failures,
            lockout.last_at
        );
    }
}
