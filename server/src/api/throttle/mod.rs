//! Sign-in lockouts, for administrators.

pub mod lift_account;
pub mod lift_network;
pub mod list;

use auth::throttle::lockouts::{Lockout, LockoutSource, LockoutSubject, RetryAt};

pub(crate) fn wire_lockout(lockout: Lockout) -> wire::Lockout {
    let (account, secret, from, network) = match lockout.subject {
        LockoutSubject::Network(network) => (None, None, "network", Some(network)),
        LockoutSubject::Account {
            username,
            kind: secret,
            from,
        } => {
            let (from, network) = match from {
                LockoutSource::Unknown => ("elsewhere", None),
                LockoutSource::Network(network) => ("network", Some(network)),
                LockoutSource::Device => ("device", None),
            };
            (Some(username), Some(secret), from, network)
        }
    };
    let (state, until) = match lockout.retry_at {
        RetryAt::Now => ("open", None),
        RetryAt::At(at) => ("waiting", Some(at)),
        RetryAt::Never => ("shut", None),
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
