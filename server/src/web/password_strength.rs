//! `POST /auth/password-check`: rates a password for the strength limit. Only pages of this site
//! use it. Nothing is stored or logged.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use auth::{
    AuthError, DisplayName, EmailAddress, Password, SameOriginForm, Username,
    access::extract::OptionalCaller, error::ThrottleError, password::UserInputs,
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::AppState,
};

const WINDOW: Duration = Duration::from_mins(1);
/// Checks per address and window. A slow typist causes one check per character.
const MAX_CHECKS: u32 = 90;
/// Addresses counted at once. Further addresses are rejected until the next window.
const MAX_NETWORKS: usize = 10_000;

#[derive(Debug, Default)]
pub struct StrengthLimit(Mutex<Option<(Instant, HashMap<IpAddr, u32>)>>);

impl StrengthLimit {
    /// False if the address has reached the limit.
    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        let now = Instant::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = state
            .take()
            .filter(|(began, _)| now.duration_since(*began) < WINDOW);
        let (_, counts) = state.insert(fresh.unwrap_or_else(|| (now, HashMap::new())));
        let network = network_prefix(address);
        if counts.len() >= MAX_NETWORKS && !counts.contains_key(&network) {
            return false;
        }
        let count = counts.entry(network).or_default();
        *count += 1;
        *count <= MAX_CHECKS
    }
}

/// An IPv4 address, or the /64 of an IPv6 one.
fn network_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordCheck {
    password: String,
    username: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct PasswordCheckResult {
    characters: usize,
    least: usize,
    /// The zxcvbn score: 0 (very weak) to 4 (strong).
    strength: u8,
    /// Why the password is rejected; null if it is accepted.
    detail: Option<String>,
}

pub(crate) async fn check(
    _: SameOriginForm,
    OptionalCaller(caller): OptionalCaller,
    State(state): State<AppState>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(input): JsonBody<PasswordCheck>,
) -> Result<Json<PasswordCheckResult>, Problem> {
    if !state.site.strength_limit.allow(origin.address) {
        return Err(AuthError::Throttle(ThrottleError::Throttled {
            retry_after: Duration::from_mins(1),
        })
        .into());
    }
    let own = caller
        .filter(|caller| input.username.as_deref() == Some(caller.account().username.as_str()));
    let password = Password::new(input.password);
    // Incomplete values are ignored.
    let inputs = UserInputs {
        username: input.username.and_then(|name| Username::parse(&name).ok()),
        display_name: input
            .display_name
            .and_then(|name| DisplayName::parse(&name).ok()),
        email: input
            .email
            .and_then(|email| EmailAddress::parse(&email).ok()),
    };
    let strength = match own {
        Some(caller) => {
            state
                .auth
                .passwords()
                .evaluate_for(caller.account(), password)
                .await?
        }
        None => {
            state
                .auth
                .passwords()
                .evaluate_new(password, inputs)
                .await?
        }
    };
    Ok(Json(PasswordCheckResult {
        characters: strength.characters,
        least: strength.min_length,
        strength: strength.strength,
        detail: strength.rejection.map(|refused| refused.to_string()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_check_limit_applies_per_network() {
        let limit = StrengthLimit::default();
        let rotating = |n: u32| -> IpAddr { format!("2001:db8:1:2:{n:x}::1").parse().unwrap() };
        assert!((0..MAX_CHECKS).all(|n| limit.allow(rotating(n))));
        assert!(!limit.allow(rotating(1)));
        assert!(limit.allow(IpAddr::from([192, 0, 2, 1])));
    }
}
