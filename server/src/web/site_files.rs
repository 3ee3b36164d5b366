//! Files that browsers and other programs expect at fixed paths: icons, the web app manifest,
//! `robots.txt`, and two of `/.well-known/` (RFC 8615).

use std::{sync::Arc, time::Duration};

use auth::Anyone;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderMap, header};
use serde_json::json;

use super::assets::{self, asset_url};
use crate::{
    error::Problem,
    state::{Auth, SiteInfo},
};

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// From the time of the response, so that the file of a running server never expires.
const SECURITY_TXT_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// `GET /favicon.ico`
pub(crate) async fn favicon(_: Anyone, headers: HeaderMap) -> Response {
    assets::serve_uncached("favicon.ico", &headers)
}

/// `GET /apple-touch-icon.png`, and the older name with `-precomposed`.
pub(crate) async fn apple_touch_icon(_: Anyone, headers: HeaderMap) -> Response {
    assets::serve_uncached("apple-touch-icon.png", &headers)
}

/// `GET /manifest.webmanifest` (W3C Web Application Manifest).
pub(crate) async fn manifest(_: Anyone) -> Response {
    let icon = |path: &str, sizes: &str, media_type: &str| json!({"src": asset_url(path), "sizes": sizes, "type": media_type});
    let manifest = json!({
        "id": "/",
        "name": "Strongroom",
        "short_name": "Strongroom",
        "start_url": "/",
        "scope": "/",
        "display": "minimal-ui",
        "theme_color": "#0f5f5a",
        "background_color": "#f3f5f2",
        "icons": [
            icon("logo.svg", "any", "image/svg+xml"),
            icon("icon-192.png", "192x192", "image/png"),
            icon("icon-512.png", "512x512", "image/png"),
        ],
    });
    let headers = [
        (header::CONTENT_TYPE, "application/manifest+json"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, manifest.to_string()).into_response()
}

/// `GET /robots.txt` (RFC 9309). No page is for search engines.
pub(crate) async fn robots(_: Anyone) -> Response {
    (TEXT, "User-agent: *\nDisallow: /\n").into_response()
}

/// `GET /.well-known/change-password` (W3C A Well-Known URL for Changing Passwords).
pub(crate) async fn change_password(_: Anyone) -> Redirect {
    Redirect::to("/account#password-form")
}

/// `GET /.well-known/security.txt` (RFC 9116). 404 without the setting `security_contact`.
pub(crate) async fn security_txt(
    _: Anyone,
    State(site): State<Arc<SiteInfo>>,
    State(auth): State<Auth>,
) -> Result<Response, Problem> {
    let contact = site
        .config
        .security_contact
        .as_ref()
        .ok_or(Problem::NoRoute)?;
    let expires = auth.now() + SECURITY_TXT_LIFETIME;
    let text = format!(
        "Contact: {contact}\nExpires: {expires:.0}\nPreferred-Languages: en\nCanonical: {}/.well-known/security.txt\n",
        site.config.public_url
    );
    Ok((TEXT, text).into_response())
}
