//! Passkeys (`WebAuthn`): registration, sign-in, second factor and step-up.

pub mod list;
pub mod mfa;
pub mod mfa_options;
pub mod register;
pub mod register_options;
pub mod remove;
pub mod rename;
pub mod sign_in;
pub mod sign_in_options;
pub mod step_up;
pub mod step_up_options;

use auth::{
    DisplayName, FactorId,
    factor::passkey::{PasskeyChallenge, PasskeyInfo},
};
use http::request::Parts;
use wire::PasskeyOptions;

use crate::{error::Problem, extract::path_param, state::AppState};

/// The `{id}` of the path. An unknown id is 404.
#[derive(Debug)]
pub struct PasskeyIdParam(FactorId);

impl axum::extract::FromRequestParts<AppState> for PasskeyIdParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(FactorId::new(&path_param(parts, state, "id").await?)))
    }
}

pub(crate) fn wire_options(challenge: PasskeyChallenge) -> PasskeyOptions {
    PasskeyOptions {
        ceremony: challenge.ceremony,
        public_key: challenge.options,
    }
}

pub(crate) fn wire_passkey(passkey: PasskeyInfo) -> wire::PasskeyInfo {
    wire::PasskeyInfo {
        id: passkey.id.to_string(),
        name: passkey.name,
        created_at: passkey.created_at,
        last_used_at: passkey.last_used_at,
        synced: passkey.synced,
    }
}

fn parse_name(raw: &str) -> Result<DisplayName, Problem> {
    let message = "The name must have 1 to 64 visible characters.";
    let name = DisplayName::parse(raw)
        .ok()
        .filter(|name| name.as_str().chars().count() <= 64);
    name.ok_or_else(|| Problem::invalid("/name", message))
}
