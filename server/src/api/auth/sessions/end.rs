//! `DELETE /auth/sessions/{id}`

use auth::{Interactive, SessionId};
use axum::extract::State;
use http::{StatusCode, request::Parts};
use wire::ProblemBody;

use crate::{
    error::Problem,
    extract::path_param,
    state::{AppState, Auth},
};

/// The `{id}` of the path; an unknown one finds nothing.
#[derive(Debug)]
pub struct Id(pub(crate) SessionId);

impl axum::extract::FromRequestParts<AppState> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(SessionId::new(&path_param(parts, state, "id").await?)))
    }
}

/// End one of one's sessions.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "As in the list.")),
    responses(
        (status = 204, description = "Ended."),
        (status = 404, description = "None of one's live sessions.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    auth.end_session(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
