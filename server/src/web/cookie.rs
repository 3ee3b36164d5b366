//! The session cookie (RFC 6265bis).

use auth::Token;
use axum_extra::extract::cookie::{Cookie, SameSite};
use http::HeaderName;

use crate::state::Site;

/// Tells browsers to forget what they kept of us (W3C Clear-Site-Data).
pub(crate) const CLEAR: (HeaderName, &str) = (HeaderName::from_static("clear-site-data"), "\"cache\", \"storage\"");

/// Without `Max-Age`: it goes with the browser, and the session itself ends on the server.
pub(crate) fn session(site: &Site, secret: &Token) -> Cookie<'static> {
    dressed(site, secret.expose().to_owned()).into()
}

pub(crate) fn ended(site: &Site) -> Cookie<'static> {
    let mut cookie: Cookie<'static> = dressed(site, String::new()).into();
    cookie.make_removal();
    cookie
}

fn dressed(site: &Site, value: String) -> axum_extra::extract::cookie::CookieBuilder<'static> {
    Cookie::build((site.cookie, value)).path("/").http_only(true).same_site(SameSite::Lax).secure(site.is_https())
}
