//! `DELETE /api/throttle/networks/{address}`

use auth::{Permitted, store::ThrottleTarget, throttle::lockouts::LiftLockouts};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Lift the lockout of a network.
///
/// Failures that count for accounts stay.
#[utoipa::path(delete, path = "/api/throttle/networks/{address}", tag = "Throttle",
    params(("address" = String, Path, description = "An IPv4 address, or any address of an IPv6 /64.")),
    responses((status = 204, description = "Lifted. The network can try again.")))]
pub async fn handle(
    Permitted(permit): Permitted<LiftLockouts>,
    State(auth): State<Auth>,
    extract::NetworkParam(network): extract::NetworkParam,
) -> Result<StatusCode, Problem> {
    auth.admin()
        .lift(&permit, ThrottleTarget::Network(network))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
