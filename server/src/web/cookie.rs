//! The session cookie (RFC 6265bis).

use auth::{Token, TokenKind, session::mfa_challenge::MfaChallenge};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use http::HeaderName;

use crate::state::Site;

/// Tells browsers to delete cached and stored data of this site (W3C Clear-Site-Data).
pub(crate) const CLEAR: (HeaderName, &str) = (
    HeaderName::from_static("clear-site-data"),
    "\"cache\", \"storage\"",
);

/// Binds upstream logins to the browser that started them. All windows share it, so it stays when
/// one login completes. It grants no access.
pub(crate) fn departed(site: &Site, browser: &Token) -> Cookie<'static> {
    named(site, departure_name(site), browser.expose().to_owned())
}

pub(crate) fn departure_of(site: &Site, jar: &CookieJar) -> Option<Token> {
    jar.get(departure_name(site))
        .and_then(|cookie| Token::parse(TokenKind::Flow, cookie.value()))
}

fn departure_name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-departure"
    } else {
        "strongroom-departure"
    }
}

/// Identifies a sign-in that waits for its second factor. The server enforces its expiry.
pub(crate) fn half_way(site: &Site, half_way: &MfaChallenge) -> Cookie<'static> {
    named(
        site,
        half_way_name(site),
        half_way.token.expose().to_owned(),
    )
}

pub(crate) fn gone_in(site: &Site) -> Cookie<'static> {
    let mut cookie = named(site, half_way_name(site), String::new());
    cookie.make_removal();
    cookie
}

pub(crate) fn half_way_name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-second"
    } else {
        "strongroom-second"
    }
}

/// Without `Max-Age`, so that it ends with the browser. The server enforces the expiry of the
/// session.
pub(crate) fn session(site: &Site, secret: &Token) -> Cookie<'static> {
    dressed(site, secret.expose().to_owned())
}

pub(crate) fn ended(site: &Site) -> Cookie<'static> {
    let mut cookie = dressed(site, String::new());
    cookie.make_removal();
    cookie
}

fn dressed(site: &Site, value: String) -> Cookie<'static> {
    named(site, site.cookie, value)
}

pub(crate) fn named(site: &Site, name: &'static str, value: String) -> Cookie<'static> {
    let mut cookie = Cookie::new(name, value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(site.is_https());
    cookie
}

/// Binds passkey ceremonies to the browser that started them. All windows share it, because several
/// may sign in at the same time.
pub(crate) fn browser(site: &Site, token: &Token) -> Cookie<'static> {
    let mut cookie = Cookie::new(browser_name(site), token.expose().to_owned());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_secure(site.is_https());
    cookie
}

pub(crate) fn browser_of(site: &Site, jar: &CookieJar) -> Option<Token> {
    jar.get(browser_name(site))
        .and_then(|cookie| Token::parse(TokenKind::Flow, cookie.value()))
}

fn browser_name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-browser"
    } else {
        "strongroom-browser"
    }
}
