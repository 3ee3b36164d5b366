//! `DELETE /api/throttle/accounts/{username}`

use auth::{Permitted, store::ThrottleTarget, throttle::lockouts::LiftLockouts};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Lift the lockouts of an account, for every kind of secret and every source.
#[utoipa::path(delete, path = "/api/throttle/accounts/{username}", tag = "Throttle",
    params(("username" = String, Path)),
    responses((status = 204, description = "Lifted. The account can try again from every source.")))]
pub async fn handle(
    Permitted(permit): Permitted<LiftLockouts>,
    State(auth): State<Auth>,
    extract::UsernameParam(username): extract::UsernameParam,
) -> Result<StatusCode, Problem> {
    auth.admin()
        .lift(&permit, ThrottleTarget::Account(username))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
