//! `DELETE /auth/invites/{id}`

use auth::Recently;
use axum::extract::{FromRequestParts, State};
use http::{StatusCode, request::Parts};
use wire::ProblemBody;

use crate::{
    error::Problem,
    extract::path_param,
    state::{AppState, Auth},
};

/// The `{id}` of the path.
#[derive(Debug)]
pub struct Id(String);

impl FromRequestParts<AppState> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        path_param(parts, state, "id").await.map(Self)
    }
}

/// Withdraw an invitation: one's own; anybody's as an administrator.
#[utoipa::path(delete, path = "/auth/invites/{id}", tag = "Accounts",
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "Its link is good for nothing."),
        (status = 404, description = "None of one's open invitations.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(Recently(caller): Recently, State(auth): State<Auth>, Id(id): Id) -> Result<StatusCode, Problem> {
    auth.withdraw_invite(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
