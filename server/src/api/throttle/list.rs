//! `GET /api/throttle`

use auth::{Permitted, lockouts::SeeLockouts};
use axum::{Json, extract::State};
use wire::Lockout;

use crate::{error::Problem, state::Auth};

/// Who has to wait, or had to, after too many failures; latest first, at most 1,000. Names that are nobody's are not
/// listed.
#[utoipa::path(get, path = "/api/throttle", tag = "Throttle",
    responses((status = 200, description = "Accounts and networks.", body = [Lockout])))]
pub async fn handle(
    Permitted(permit): Permitted<SeeLockouts>,
    State(auth): State<Auth>,
) -> Result<Json<Vec<Lockout>>, Problem> {
    let lockouts = auth.lockouts(&permit).await?;
    Ok(Json(lockouts.into_iter().map(super::lockout).collect()))
}
