//! What the crate `auth` wants to know of a service, and how this one answers refusals.

use std::net::Ipv4Addr;

use auth::{Auth, AuthError, HasAuth, Origin, RealmName};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, request::Parts};

use crate::store::{GARDEN, Memory};

#[derive(Clone, Debug)]
pub(crate) struct Garden(pub(crate) Auth<Memory>);

impl HasAuth for Garden {
    type Store = Memory;
    type Refusal = Problem;

    fn auth(&self) -> &Auth<Memory> {
        &self.0
    }

    fn cookie_name(&self) -> &'static str {
        "garden"
    }

    fn realm_of(&self, _: &Parts) -> Result<RealmName, AuthError> {
        RealmName::parse(GARDEN).map_err(|_| AuthError::RealmNotFound)
    }

    fn origin_of(&self, _: &Parts) -> Result<Origin, AuthError> {
        Ok(nowhere())
    }

    fn is_own_origin(&self, _: &Parts, origin: &str) -> bool {
        origin == "http://localhost:3000"
    }
}

/// A real service says where a request came from: throttle, audit and letters tell it.
pub(crate) fn nowhere() -> Origin {
    Origin { address: Ipv4Addr::LOCALHOST.into(), user_agent: None, device: None }
}

#[derive(Debug)]
pub(crate) enum Problem {
    Auth(AuthError),
    Nonsense,
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::Nonsense => (StatusCode::UNPROCESSABLE_ENTITY, "That is no username.".to_owned()),
            Self::Auth(error) => match error {
                AuthError::NotSignedIn | AuthError::InvalidToken | AuthError::BadCredentials => {
                    (StatusCode::UNAUTHORIZED, error.to_string())
                }
                AuthError::NotAllowed { .. } => (StatusCode::FORBIDDEN, error.to_string()),
                AuthError::UsernameTaken => (StatusCode::CONFLICT, error.to_string()),
                AuthError::PasswordRefused(_) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
                AuthError::Throttled { .. } | AuthError::Busy { .. } => {
                    (StatusCode::TOO_MANY_REQUESTS, error.to_string())
                }
                AuthError::RealmNotFound => (StatusCode::NOT_FOUND, error.to_string()),
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "That did not work.".to_owned()),
            },
        }
        .into_response()
    }
}
