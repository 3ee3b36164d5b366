//! `DELETE /auth/identities/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;
use wire::ProblemBody;

use crate::{
    error::Problem,
    extract::{ClientOrigin, IdParam},
    state::Auth,
};

/// Unlink an identity of an OIDC provider.
///
/// The identity can no longer sign in to the account.
#[utoipa::path(delete, path = "/auth/identities/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "The id from the list.")),
    responses(
        (status = 204, description = "Unlinked."),
        (status = 404, description = "The identity is not linked to this account.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    IdParam(id): IdParam,
) -> Result<StatusCode, Problem> {
    auth.upstream()
        .unlink_identity(&caller, &id, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
