//! `GET /openapi.json`

use std::sync::LazyLock;

use auth::Anyone;
use axum::response::Response;
use http::{HeaderMap, HeaderValue};

use crate::static_content::Precompressed;

/// The OpenAPI document as text, built on first use.
static DOCUMENT: LazyLock<Precompressed> = LazyLock::new(|| {
    let text = serde_json::to_vec(&crate::operations::openapi()).unwrap_or_default();
    Precompressed::new(HeaderValue::from_static("application/json"), text.into())
});

/// Show the OpenAPI document of this server.
#[utoipa::path(get, path = "/openapi.json", tag = "Service",
    responses((status = 200, description = "The OpenAPI 3.1 document.", body = serde_json::Value)))]
pub async fn handle(_: Anyone, headers: HeaderMap) -> Response {
    DOCUMENT.respond(&headers, "no-cache")
}
