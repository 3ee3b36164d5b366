//! The host side of the crate `auth`: its settings here, and the responses for its errors.

use std::net::{Ipv4Addr, SocketAddr};

use auth::{
    Auth, AuthError, HasAuth, Origin, RealmName,
    access::extract::CookieNames,
    error::{AccessError, ErrorKind},
    model::username::BadUsername,
};
use axum::{
    extract::ConnectInfo,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

use crate::store::{GARDEN_REALM, MemoryStore};

#[derive(Clone, Debug)]
pub(crate) struct Garden(pub(crate) Auth<MemoryStore>);

impl HasAuth for Garden {
    type Store = MemoryStore;
    type Rejection = Problem;

    fn auth(&self) -> &Auth<MemoryStore> {
        &self.0
    }

    fn cookie_names(&self) -> CookieNames<'_> {
        CookieNames {
            current: "garden",
            former: &[],
        }
    }

    fn realm_of(&self, _: &Parts) -> Result<RealmName, AuthError> {
        RealmName::parse(GARDEN_REALM).map_err(|_| AuthError::Access(AccessError::RealmNotFound))
    }

    /// The throttle counts by it, and audit and mails name it. Behind a proxy it must be the
    /// address that the proxy reports.
    fn origin_of(&self, parts: &Parts) -> Result<Origin, AuthError> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|peer| peer.0.ip());
        let address = peer.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        let user_agent = parts
            .headers
            .get("user-agent")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok(Origin {
            address,
            user_agent,
            device: None,
        })
    }

    fn is_own_origin(&self, _: &Parts, origin: &str) -> bool {
        origin == "http://localhost:3000"
    }
}

pub(crate) type HandlerResult<T> = Result<T, Problem>;

#[derive(Debug)]
pub(crate) enum Problem {
    Auth(AuthError),
    InvalidUsername(BadUsername),
}

impl From<BadUsername> for Problem {
    fn from(error: BadUsername) -> Self {
        Self::InvalidUsername(error)
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

/// A host maps kinds, never single errors, and has no catch-all: a new kind does not compile.
fn answer(error: &AuthError) -> (StatusCode, String) {
    let status = match error.kind() {
        ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Gone => StatusCode::GONE,
        ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        // The cause is for the log only.
        ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Unavailable | ErrorKind::BadGateway => {
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                "Try again later.".to_owned(),
            );
        }
        ErrorKind::Internal => {
            return (
                StatusCode::INTERNAL_SERVER_ERROR,
                "That did not work.".to_owned(),
            );
        }
    };
    (status, error.to_string())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::InvalidUsername(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            Self::Auth(error) => answer(&error),
        }
        .into_response()
    }
}
