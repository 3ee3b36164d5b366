//! `POST /auth/password-check`: rates a password for the strength limit. Only pages of this site
//! use it. Nothing is stored or logged.

use std::time::Duration;

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
