//! `GET /admin/throttle`

use auth::{Caller, Permitted, throttle::lockouts::ReadLockouts};
use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{api::throttle, error::Problem, state::Auth, web::LockoutsPage};

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadLockouts>,
    caller: Caller,
    State(auth): State<Auth>,
) -> Result<Response, Problem> {
    let shell = shell(&auth, &caller, None).await?;
    let lockouts = auth
        .admin()
        .lockouts(&permit)
        .await?
        .into_iter()
        .map(throttle::wire_lockout)
        .collect();
    send(StatusCode::OK, &LockoutsPage { shell, lockouts })
}
