//! `DELETE /auth/passkeys/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;

use super::PasskeyIdParam;
use crate::{error::Problem, extract::ClientOrigin, state::Auth};

/// Remove a passkey.
///
/// All other sessions of the account end.
#[utoipa::path(delete, path = "/auth/passkeys/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "The id from the list.")),
    responses(
        (status = 204, description = "Removed."),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    PasskeyIdParam(id): PasskeyIdParam,
) -> Result<StatusCode, Problem> {
    auth.passkeys()
        .remove_passkey(&caller, &id, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
