//! `DELETE /auth/identities/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;
use wire::ProblemBody;

use crate::{
    error::Problem,
    extract::{From, Id},
    state::Auth,
};

/// Part one's account at a provider from this one: it opens nothing here any more.
#[utoipa::path(delete, path = "/auth/identities/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "As in the list.")),
    responses(
        (status = 204, description = "Parted."),
        (status = 404, description = "It is not joined to this account.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    From(origin): From,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    auth.unlink_identity(&caller, &id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
