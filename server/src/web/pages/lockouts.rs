//! `GET /admin/throttle`

use askama::Template;
use auth::{Caller, Permitted, throttle::lockouts::ReadLockouts};
use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use wire::Lockout;

use crate::{
    api::throttle,
    error::Problem,
    state::{Auth, Store},
    web::{
        Shell, format,
        pages::{send, shell},
    },
};

/// `GET /admin/throttle`, administrators only. The handler supplies the answer of `GET
/// /api/throttle`.
#[derive(Debug, Template)]
#[template(path = "lockouts.html")]
pub struct LockoutsPage {
    pub shell: Shell,
    pub lockouts: Vec<Lockout>,
}

impl LockoutsPage {
    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }

    /// The URL whose `DELETE` lifts the block.
    pub fn lift_url(&self, lockout: &Lockout) -> String {
        let encode = |part: &str| {
            percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        match (&lockout.account, &lockout.network) {
            (Some(account), _) => format!("/api/throttle/accounts/{}", encode(account)),
            (None, network) => format!(
                "/api/throttle/networks/{}",
                encode(network.as_deref().unwrap_or_default())
            ),
        }
    }

    pub fn target<'a>(&self, lockout: &'a Lockout) -> &'a str {
        lockout
            .account
            .as_deref()
            .or(lockout.network.as_deref())
            .unwrap_or_default()
    }

    /// Which credential failed, and from where.
    pub fn description(&self, lockout: &Lockout) -> String {
        let secret = match lockout.secret.as_deref() {
            None => return "Any account, from this network".to_owned(),
            Some("password") => "Password",
            Some("totp") => "One-time password",
            Some("recovery_code") => "Recovery code",
            Some("user_code") => "Device code",
            Some(_) => "Secret",
        };
        match (lockout.from.as_str(), &lockout.network) {
            ("device", _) => format!("{secret}, from a known device"),
            ("network", Some(network)) => {
                format!("{secret}, from the known network {network}")
            }
            _ => format!("{secret}, from unknown devices and networks"),
        }
    }
}

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadLockouts>,
    caller: Caller,
    State(auth): State<Auth>,
    State(store): State<Store>,
) -> Result<Response, Problem> {
    let shell = shell(&auth, &store, &caller, None).await?;
    let lockouts = auth
        .admin()
        .lockouts(&permit)
        .await?
        .into_iter()
        .map(throttle::wire_lockout)
        .collect();
    send(StatusCode::OK, &LockoutsPage { shell, lockouts })
}
