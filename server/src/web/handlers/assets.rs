//! `GET /assets/{build}/{*path}`

use auth::Anyone;
use axum::{extract::FromRequestParts, response::Response};
use http::{HeaderMap, request::Parts};

use crate::{error::Problem, extract::path_param, state::AppState, web::assets};

/// The two path parameters.
#[derive(Debug)]
pub(crate) struct AssetPath {
    build: String,
    path: String,
}

impl FromRequestParts<AppState> for AssetPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self {
            build: path_param(parts, state, "build").await?,
            path: path_param(parts, state, "path").await?,
        })
    }
}

pub(crate) async fn asset(
    _: Anyone,
    path: AssetPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let response = assets::serve(&path.build, &path.path, &headers);
    if response.status() == http::StatusCode::NOT_FOUND {
        Err(Problem::NoRoute)
    } else {
        Ok(response)
    }
}
