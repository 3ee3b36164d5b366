//! Live events of a vault: WebSocket and server-sent events.

pub mod socket;
pub mod stream;

use auth::{
    AuthError, Caller, HasAuth, Permit,
    access::{
        denied::DeniedRequest as Refused,
        extract::{request_of, site_of},
    },
};
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;
use vault::action::Read;

use crate::{
    door::{AccessRule, Door},
    error::Problem,
    open_streams::{StreamKind, StreamSlot},
    state::AppState,
};

/// The door of a stream. It equals `Permitted<Read>`, and also accepts a single-use ticket in the
/// query. It keeps the caller, whose access is checked for as long as the stream is open.
#[derive(Debug)]
pub struct PermittedStream {
    pub caller: Caller,
    pub permit: Permit<Read>,
}

impl Door for PermittedStream {
    const ACCESS: AccessRule = AccessRule::Permitted("file.read");
    const SCOPE: Option<auth::Scope> = Some(auth::Scope::ReadFiles);
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct EventsQuery {
    /// Events with a greater id. Without it, events from now on.
    since: Option<i64>,
    /// A ticket from `POST /auth/ws-ticket`.
    ticket: Option<String>,
}

impl FromRequestParts<AppState> for PermittedStream {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let params = axum::extract::Query::<EventsQuery>::try_from_uri(&parts.uri)
            .map(|query| query.0)
            .unwrap_or_default();
        let caller = match params.ticket {
            Some(ticket) => state.auth.sessions().authenticate_ticket(&ticket).await?,
            None => Caller::from_request_parts(parts, state).await?,
        };
        let realm = state.auth.sessions().realm(&state.realm_of(parts)?).await?;
        let permit = state
            .auth
            .permit(&caller, realm.as_ref(), Some(request_of(parts)))?;
        Ok(Self { caller, permit })
    }
}

/// Checks whether an `Origin` is that of this server's pages.
#[derive(Debug)]
pub struct OriginCheck {
    parts: Parts,
    state: AppState,
}

impl FromRequestParts<AppState> for OriginCheck {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self {
            parts: parts.clone(),
            state: state.clone(),
        })
    }
}

impl OriginCheck {
    fn is_own(&self, origin: &str) -> bool {
        self.state.is_own_origin(&self.parts, origin)
    }

    /// The place of a stream of this request.
    fn open_stream(&self, caller: &Caller) -> Result<StreamSlot, Problem> {
        let address = self.state.origin_of(&self.parts)?.address;
        self.state.streams.open(StreamKind::Live, caller, address)
    }

    /// Writes the denial to the audit log.
    fn audit_denial(&self, caller: &Caller, error: &AuthError) {
        let request = Refused::cross_site(request_of(&self.parts), site_of(&self.parts));
        self.state.auth.audit_denial(caller, &request, error);
    }
}
