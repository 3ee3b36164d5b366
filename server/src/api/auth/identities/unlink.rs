//! `DELETE /auth/identities/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;

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
