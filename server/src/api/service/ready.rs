//! `GET /health/ready`

use std::time::Duration;

use auth::{Anyone, AuthStore};
use axum::extract::State;
use tokio::time::timeout;

use crate::{
    error::Problem,
    state::{AppState, Store},
};

/// Check that the server can serve requests.
///
/// It is ready if the database answers and the server is not stopping.
#[utoipa::path(get, path = "/health/ready", tag = "Service",
    responses(
        (status = 200, description = "Ready.", content_type = "text/plain", body = String),
    ))]
pub async fn handle(
    _: Anyone,
    State(store): State<Store>,
    State(state): State<AppState>,
) -> Result<&'static str, Problem> {
    let response = timeout(Duration::from_secs(2), store.last_account_event()).await;
    if *state.stopping.borrow() || !matches!(response, Ok(Ok(_))) {
        return Err(Problem::NotReady);
    }
    Ok("ok\n")
}
