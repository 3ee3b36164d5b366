//! Who is kept from trying secrets, for administrators.

pub mod lift_account;
pub mod lift_network;
pub mod list;

use auth::lockouts::{Kept, KeptFrom, Lockout, Until};

pub(crate) fn lockout(lockout: Lockout) -> wire::Lockout {
    let (account, secret, from, network) = match lockout.of {
        Kept::Network(network) => (None, None, "network", Some(network)),
        Kept::Account {
            username,
            secret,
            from,
        } => {
            let (from, network) = match from {
                KeptFrom::Elsewhere => ("elsewhere", None),
                KeptFrom::Network(network) => ("network", Some(network)),
                KeptFrom::Device => ("device", None),
            };
            (Some(username), Some(secret), from, network)
        }
    };
    let (state, until) = match lockout.until {
        Until::Now => ("open", None),
        Until::Then(at) => ("waiting", Some(at)),
        Until::Lifted => ("shut", None),
    };
    wire::Lockout {
        account: account.map(|username| username.to_string()),
        secret: secret.map(|secret| secret.as_str().to_owned()),
        from: from.to_owned(),
        network: network.map(|network| network.to_string()),
        failures: lockout.failures,
        last_at: lockout.last_at,
        state: state.to_owned(),
        until,
    }
}
