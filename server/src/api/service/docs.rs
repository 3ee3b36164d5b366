//! `GET /openapi.json`, and `GET /docs`: Swagger UI from the binary, with an Authorize button that signs in.

use std::sync::{Arc, OnceLock};

use auth::Anyone;
use axum::{
    Extension,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use utoipa_swagger_ui::Config;

use crate::{error::Problem, extract::path_param, state::AppState};

/// Its own narrow policy: scripts and styles from here only, but for the styles that Swagger UI writes into elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The document, as text, made once.
#[derive(Clone, Debug)]
pub struct Document(pub Arc<str>);

/// The description of this API.
#[utoipa::path(get, path = "/openapi.json", tag = "Service",
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value)))]
pub async fn handle(_: Anyone, Extension(Document(text)): Extension<Document>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}

/// `GET /docs`
pub async fn index(_: Anyone) -> Result<Response, Problem> {
    asset("index.html")
}

/// `GET /docs/{*file}`
pub async fn file(_: Anyone, File(name): File) -> Result<Response, Problem> {
    asset(&name)
}

/// The rest of the path.
#[derive(Debug)]
pub struct File(String);

impl axum::extract::FromRequestParts<AppState> for File {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &AppState) -> Result<Self, Problem> {
        path_param(parts, state, "file").await.map(Self)
    }
}

fn asset(name: &str) -> Result<Response, Problem> {
    static CONFIG: OnceLock<Arc<Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        Arc::new(
            Config::from("/openapi.json").persist_authorization(false).try_it_out_enabled(true).validator_url("none"),
        )
    });
    let found = utoipa_swagger_ui::serve(name, config.clone());
    let found = found.map_err(|error| Problem::Internal(error.to_string()))?.ok_or(Problem::NoRoute)?;
    let mut bytes = found.bytes.into_owned();
    if name == "index.html" {
        // The page links its parts relatively, which needs a folder; ours has no slash at its end.
        let text = String::from_utf8_lossy(&bytes)
            .replace("./", "/docs/")
            .replace("href=\"index.css\"", "href=\"/docs/index.css\"");
        bytes = text.into_bytes();
    }
    let mut response = bytes.into_response();
    let kind = HeaderValue::try_from(found.content_type).map_err(|error| Problem::Internal(error.to_string()))?;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}
