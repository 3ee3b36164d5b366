//! `POST /auth/password-check`: how good a password would be, for the meter beside the field. Only our own pages ask;
//! nothing of it is kept or logged.

use std::sync::Arc;

use auth::{AuthError, DisplayName, EmailAddress, OwnPage, Password, Username, password::About};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::{
    error::Problem,
    extract::{Body, From},
    state::{Auth, Site},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    password: String,
    username: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Weighed {
    characters: usize,
    least: usize,
    /// 0, guessed at once, to 4.
    strength: u8,
    /// What to change; null where it may be taken.
    detail: Option<String>,
}

pub(crate) async fn check(
    _: OwnPage,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
    From(origin): From,
    Body(asked): Body<Asked>,
) -> Result<Json<Weighed>, Problem> {
    if !site.meter.may_ask(origin.address) {
        return Err(AuthError::Throttled { retry_after: Duration::from_mins(1) }.into());
    }
    // Half typed, they are nothing yet.
    let about = About {
        username: asked.username.and_then(|name| Username::parse(&name).ok()),
        display_name: asked.display_name.and_then(|name| DisplayName::parse(&name).ok()),
        email: asked.email.and_then(|email| EmailAddress::parse(&email).ok()),
    };
    let weight = auth.weigh_new(Password::new(asked.password), about).await?;
    Ok(Json(Weighed {
        characters: weight.characters,
        least: weight.least,
        strength: weight.strength,
        detail: weight.refused.map(|refused| refused.to_string()),
    }))
}
