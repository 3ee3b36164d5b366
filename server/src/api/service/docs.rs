//! `GET /openapi.json`, and `GET /docs`: Swagger UI from the binary, with an Authorize button that
//! signs in.

use std::sync::{Arc, LazyLock};

use askama::Template;
use auth::Anyone;
use axum::{
    extract::FromRequestParts,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header, request::Parts};
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::{
    error::Problem, extract::path_param, state::AppState, static_content::Precompressed,
    web::assets,
};

/// The content security policy of the docs page. It equals that of the pages, plus inline styles,
/// which Swagger UI sets on elements.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The files of Swagger UI that the page loads.
const SWAGGER_FILES: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

/// The OpenAPI document as text, built on first use.
static DOCUMENT: LazyLock<Precompressed> = LazyLock::new(|| {
    let text = serde_json::to_vec(&crate::operations::openapi()).unwrap_or_default();
    Precompressed::new(HeaderValue::from_static("application/json"), text.into())
});

/// [`PARTS`], compressed on first use.
static PRECOMPRESSED: LazyLock<Vec<(&str, Precompressed)>> = LazyLock::new(|| {
    let part = |name: &'static str| {
        Some((
            name,
            precompress(utoipa_swagger_ui::serve(name, SETTINGS.clone()).ok()??)?,
        ))
    };
    SWAGGER_FILES.into_iter().filter_map(part).collect()
});

static SETTINGS: LazyLock<Arc<Config<'_>>> =
    LazyLock::new(|| Arc::new(Config::from("/openapi.json")));

fn precompress(file: SwaggerFile<'_>) -> Option<Precompressed> {
    let charset = if file.content_type.starts_with("text/") {
        "; charset=utf-8"
    } else {
        ""
    };
    let kind = HeaderValue::try_from(file.content_type + charset).ok()?;
    Some(Precompressed::new(kind, file.bytes.into_owned().into()))
}

/// Show the OpenAPI document of this server.
#[utoipa::path(get, path = "/openapi.json", tag = "Service",
    responses((status = 200, description = "The OpenAPI 3.1 document.", body = serde_json::Value)))]
pub async fn handle(_: Anyone, headers: HeaderMap) -> Response {
    DOCUMENT.respond(&headers, "no-cache")
}

#[derive(Debug, Template)]
#[template(path = "docs.html")]
struct DocsPage {
    logo: String,
    script: String,
}

/// `GET /docs`
pub async fn index(_: Anyone) -> Result<Response, Problem> {
    let page = DocsPage {
        logo: assets::asset_url("logo.svg"),
        script: assets::asset_url("js/docs.js"),
    };
    let html = page
        .render()
        .map_err(|error| Problem::Internal(error.to_string()))?;
    let policy = [(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(DOCS_POLICY),
    )];
    Ok((policy, Html(html)).into_response())
}

/// The `{file}` of the address.
#[derive(Debug)]
pub struct DocsFileParam(String);

impl FromRequestParts<AppState> for DocsFileParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        path_param(parts, state, "file").await.map(Self)
    }
}

/// `GET /docs/{file}`
pub async fn file(
    _: Anyone,
    DocsFileParam(name): DocsFileParam,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, file) = PRECOMPRESSED
        .iter()
        .find(|(part, _)| *part == name)
        .ok_or(Problem::NoRoute)?;
    Ok(file.respond(&headers, "no-cache"))
}
