//! `GET /health/live`

use auth::Anyone;

/// The process is there.
#[utoipa::path(get, path = "/health/live", tag = "Service",
    responses((status = 200, description = "Alive.", content_type = "text/plain", body = String)))]
pub async fn handle(_: Anyone) -> &'static str {
    "ok\n"
}
