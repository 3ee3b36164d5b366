//! `DELETE /auth/factors/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;

use super::FactorIdParam;
use crate::{error::Problem, extract::ClientOrigin, state::Auth};

/// Remove a second factor.
///
/// All other sessions of the account end. The last factor takes the recovery codes with it.
#[utoipa::path(delete, path = "/auth/factors/{id}", tag = "Second factors", params(("id" = String, Path)), responses(
    (status = 204, description = "Removed."),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    FactorIdParam(id): FactorIdParam,
) -> Result<StatusCode, Problem> {
    auth.factors().remove_factor(&caller, &id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
