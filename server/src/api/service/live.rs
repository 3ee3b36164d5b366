//! `GET /health/live`

use auth::Anyone;

/// Check that the process runs.
#[utoipa::path(get, path = "/health/live", tag = "Service",
    responses((status = 200, description = "The process runs.", content_type = "text/plain", body = String)))]
pub async fn handle(_: Anyone) -> &'static str {
    "ok\n"
}
