//! `GET /health/ready`

use auth::Anyone;
use axum::extract::State;

use crate::{error::Problem, state::AppState};

/// Check that the server can serve requests.
///
/// It is ready if its disk has space, the database reads every table and commits, and the server is
/// not stopping.
#[utoipa::path(get, path = "/health/ready", tag = "Service",
    responses(
        (status = 200, description = "Ready.", content_type = "text/plain", body = String),
    ))]
pub async fn handle(_: Anyone, State(state): State<AppState>) -> Result<&'static str, Problem> {
    if *state.stopping.borrow() {
        return Err(Problem::NotReady);
    }
    let site = &state.site;
    let folders = site.config.written_folders();
    if let Err(reason) = site.readiness.check(&state.store, &folders).await {
        tracing::warn!(%reason, "not ready");
        return Err(Problem::NotReady);
    }
    Ok("ok\n")
}
