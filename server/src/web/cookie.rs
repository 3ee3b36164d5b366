//! The session cookie (RFC 6265bis).

use auth::{Token, TokenKind, second_step::HalfWay};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use http::HeaderName;

use crate::state::Site;

/// Tells browsers to forget what they kept of us (W3C Clear-Site-Data).
pub(crate) const CLEAR: (HeaderName, &str) = (
    HeaderName::from_static("clear-site-data"),
    "\"cache\", \"storage\"",
);

/// Of the browser that went to an upstream provider: one for all of its windows, which may be on their way at once. It opens
/// nothing by itself, and is not taken away when one of them is back.
pub(crate) fn departed(site: &Site, browser: &Token) -> Cookie<'static> {
    named(site, departure_name(site), browser.expose().to_owned())
}

pub(crate) fn departure_of(site: &Site, jar: &CookieJar) -> Option<Token> {
    jar.get(departure_name(site))
        .and_then(|cookie| Token::parse(TokenKind::Pending, cookie.value()))
}

fn departure_name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-departure"
    } else {
        "strongroom-departure"
    }
}

/// Of the browser whose sign-in waits for its second factor. When that is too long, the server knows.
pub(crate) fn half_way(site: &Site, half_way: &HalfWay) -> Cookie<'static> {
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

/// Without `Max-Age`: it goes with the browser, and the session itself ends on the server.
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

/// Tells one browser from another while a passkey is asked for: what began in one ends nowhere else.
/// One for all of its windows, which may be about to sign in at the same time.
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
        .and_then(|cookie| Token::parse(TokenKind::Pending, cookie.value()))
}

fn browser_name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-browser"
    } else {
        "strongroom-browser"
    }
}
