//! `DELETE /auth/sessions/{id}`

use auth::{Interactive, SessionId};
use axum::extract::State;
use http::{StatusCode, request::Parts};

use crate::{
    error::Problem,
    extract::path_param,
    state::{AppState, Auth},
};

/// The `{id}` of the path. An unknown id is 404.
#[derive(Debug)]
pub struct SessionIdParam(pub(crate) SessionId);

impl axum::extract::FromRequestParts<AppState> for SessionIdParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(SessionId::new(&path_param(parts, state, "id").await?)))
    }
}

/// End a session of the account.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "The id from the list.")),
    responses(
        (status = 204, description = "Ended."),
    ))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    SessionIdParam(id): SessionIdParam,
) -> Result<StatusCode, Problem> {
    auth.sessions().end_session(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
