//! `GET /openapi.json`, and `GET /docs`: Swagger UI from the binary, with an Authorize button that signs in.

use std::sync::{Arc, LazyLock};

use askama::Template;
use auth::Anyone;
use axum::{
    extract::FromRequestParts,
    response::{Html, IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, header, request::Parts};
use utoipa_swagger_ui::Config;

use crate::{error::Problem, extract::path_param, state::AppState, web::assets};

/// Its own narrow policy: as the pages', but for the styles that Swagger UI writes into elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What of Swagger UI the page loads.
const PARTS: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

/// The document, as text: made when somebody first asks for it.
static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| serde_json::to_vec(&crate::router::openapi()).unwrap_or_default().into());

/// The description of this API.
#[utoipa::path(get, path = "/openapi.json", tag = "Service",
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value)))]
pub async fn handle(_: Anyone) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone()).into_response()
}

#[derive(Debug, Template)]
#[template(path = "docs.html")]
struct Page {
    logo: String,
    script: String,
}

/// `GET /docs`
pub async fn index(_: Anyone) -> Result<Response, Problem> {
    let page = Page { logo: assets::url("logo.svg"), script: assets::url("js/docs.js") };
    let html = page.render().map_err(|error| Problem::Internal(error.to_string()))?;
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))];
    Ok((policy, Html(html)).into_response())
}

/// The `{file}` of the address.
#[derive(Debug)]
pub struct File(String);

impl FromRequestParts<AppState> for File {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        path_param(parts, state, "file").await.map(Self)
    }
}

/// `GET /docs/{file}`
pub async fn file(_: Anyone, File(name): File) -> Result<Response, Problem> {
    let name = PARTS.into_iter().find(|part| *part == name).ok_or(Problem::NoRoute)?;
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::from("/openapi.json")));
    let found = found.map_err(|error| Problem::Internal(error.to_string()))?.ok_or(Problem::NoRoute)?;
    let charset = if found.content_type.starts_with("text/") { "; charset=utf-8" } else { "" };
    let kind =
        HeaderValue::try_from(found.content_type + charset).map_err(|error| Problem::Internal(error.to_string()))?;
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    Ok((headers, found.bytes.into_owned()).into_response())
}
