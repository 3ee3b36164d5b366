//! `GET /assets/{build}/{*path}`

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use auth::Anyone;
use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, request::Parts};
use rust_embed::Embed;

use crate::{
    error::Problem, extract::path_param, state::AppState, static_content::Precompressed,
    web::assets,
};

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// Identifies this set of files: 16 hex digits of a digest over all of them. Scripts import each
/// other by relative URLs, so a change to one file must change the URLs of all.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Assets::iter().collect();
    names.sort();
    // FNV-1a over digests: it distinguishes builds and is not a security measure.
    let digest = names
        .iter()
        .filter_map(|name| Assets::get(name))
        .flat_map(|file| file.metadata.sha256_hash());
    let folded = digest.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{folded:016x}")
});

/// All files by path, compressed on the first request for any of them.
static PRECOMPRESSED: LazyLock<HashMap<String, Precompressed>> = LazyLock::new(|| {
    let packed = |path: Cow<'static, str>| {
        let kind = HeaderValue::from_static(content_type(&path)?);
        let bytes = Assets::get(&path)?.data.into_owned().into();
        Some((path.into_owned(), Precompressed::new(kind, bytes)))
    };
    Assets::iter().filter_map(packed).collect()
});

/// `css/base.css` → `/assets/<build>/css/base.css`.
#[must_use]
pub fn asset_url(path: &str) -> String {
    format!("/assets/{}/{path}", *BUILD)
}

/// Serves `GET /assets/{build}/{*path}` without authentication. The build id only decides the cache
/// lifetime, so that a page from before an update still finds its files.
#[must_use]
pub fn serve(build: &str, path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = PRECOMPRESSED.get(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let cache_control = if build == *BUILD {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    file.respond(headers, cache_control)
}

/// Serves a file of this folder at a path of its own, which does not name the build.
pub(crate) fn serve_uncached(path: &str, headers: &HeaderMap) -> Response {
    serve("", path, headers)
}

/// The type by file extension. Files with other extensions are not served.
fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "ico" => Some("image/vnd.microsoft.icon"),
        _ => None,
    }
}

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

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    fn get(path: &str, headers: &HeaderMap) -> Response {
        serve(&BUILD, path, headers)
    }

    #[test]
    fn asset_with_matching_etag_returns_304() {
        let first = get("css/base.css", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(
            first.headers()[header::CONTENT_TYPE],
            "text/css; charset=utf-8"
        );
        assert!(
            first.headers()[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(
            get("css/base.css", &headers).status(),
            StatusCode::NOT_MODIFIED
        );
    }

    #[test]
    fn asset_path_outside_folder_is_not_found() {
        for path in [
            "../Cargo.toml",
            "..%2fCargo.toml",
            "/etc/passwd",
            "js/../../Cargo.toml",
            "js",
            "",
        ] {
            assert_eq!(
                get(path, &HeaderMap::new()).status(),
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    }

    #[test]
    fn asset_at_stale_url_is_served_uncached() {
        let answer = serve("0000", "css/base.css", &HeaderMap::new());
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-cache");
    }
}
