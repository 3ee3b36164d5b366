//! `POST /api/users/{username}/recover`

use auth::{Permitted, actions::OpenAccountAccess, factor::AuditReason};
use axum::extract::State;
use http::StatusCode;
use wire::ResetFactors;

use crate::{
    error::Problem,
    extract::{self, JsonBody},
    state::Auth,
};

/// Remove all second factors of an account and end all its sessions.
///
/// It is for a user who has lost every second factor. Verify the identity of the user first. A
/// personal access token cannot do this.
#[utoipa::path(post, path = "/api/users/{username}/recover", tag = "Users",
    params(("username" = String, Path)), request_body = ResetFactors,
    responses(
        (status = 204, description = "Removed. The user signs in with the password only."),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<OpenAccountAccess>,
    State(auth): State<Auth>,
    extract::UsernameParam(username): extract::UsernameParam,
    JsonBody(body): JsonBody<ResetFactors>,
) -> Result<StatusCode, Problem> {
    auth.factors()
        .reset_factors(&permit, &username, AuditReason::parse(&body.reason)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
