//! `DELETE /api/throttle/accounts/{username}`

use auth::{Permitted, store::ThrottleTarget, throttle::lockouts::LiftLockouts};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Forget an account's failures: at every kind of secret, from wherever.
#[utoipa::path(delete, path = "/api/throttle/accounts/{username}", tag = "Throttle",
    params(("username" = String, Path)),
    responses((status = 204, description = "The next try is taken, from anywhere.")))]
pub async fn handle(
    Permitted(permit): Permitted<LiftLockouts>,
    State(auth): State<Auth>,
    extract::User(username): extract::User,
) -> Result<StatusCode, Problem> {
    auth.lift(&permit, ThrottleTarget::Account(username))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
