//! The session cookie (RFC 6265bis).

use auth::{Token, TokenKind, session::mfa_challenge::MfaChallenge};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use http::HeaderName;

use crate::site::SiteInfo;

/// Tells browsers to delete cached and stored data of this site (W3C Clear-Site-Data).
pub(crate) const CLEAR_SITE_DATA: (HeaderName, &str) = (
    HeaderName::from_static("clear-site-data"),
    "\"cache\", \"storage\"",
);

/// Binds upstream logins to the browser that started them. All windows share it, so it stays when
/// one login completes. It grants no access.
pub(crate) fn upstream_login(site: &SiteInfo, browser: &Token) -> Cookie<'static> {
    new_cookie(site, upstream_login_name(site), browser.expose().to_owned())
}

pub(crate) fn read_upstream_login(site: &SiteInfo, jar: &CookieJar) -> Option<Token> {
    jar.get(upstream_login_name(site))
        .and_then(|cookie| Token::parse(TokenKind::Flow, cookie.value()))
}

fn upstream_login_name(site: &SiteInfo) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-departure"
    } else {
        "strongroom-departure"
    }
}

/// Identifies a sign-in that waits for its second factor. The server enforces its expiry.
pub(crate) fn mfa(site: &SiteInfo, challenge: &MfaChallenge) -> Cookie<'static> {
    new_cookie(site, mfa_name(site), challenge.token.expose().to_owned())
}

pub(crate) fn clear_mfa(site: &SiteInfo) -> Cookie<'static> {
    let mut cookie = new_cookie(site, mfa_name(site), String::new());
    cookie.make_removal();
    cookie
}

pub(crate) fn mfa_name(site: &SiteInfo) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-second"
    } else {
        "strongroom-second"
    }
}

/// Without `Max-Age`, so that it ends with the browser. The server enforces the expiry of the
/// session.
pub(crate) fn session(site: &SiteInfo, secret: &Token) -> Cookie<'static> {
    session_with_value(site, secret.expose().to_owned())
}

pub(crate) fn clear_session(site: &SiteInfo) -> Cookie<'static> {
    let mut cookie = session_with_value(site, String::new());
    cookie.make_removal();
    cookie
}

fn session_with_value(site: &SiteInfo, value: String) -> Cookie<'static> {
    new_cookie(site, site.session_cookie, value)
}

pub(crate) fn new_cookie(site: &SiteInfo, name: &'static str, value: String) -> Cookie<'static> {
    let mut cookie = Cookie::new(name, value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(site.is_https());
    cookie
}

/// Binds passkey ceremonies to the browser that started them. All windows share it, because several
/// may sign in at the same time.
pub(crate) fn passkey_browser(site: &SiteInfo, token: &Token) -> Cookie<'static> {
    let mut cookie = Cookie::new(passkey_browser_name(site), token.expose().to_owned());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_secure(site.is_https());
    cookie
}

pub(crate) fn read_passkey_browser(site: &SiteInfo, jar: &CookieJar) -> Option<Token> {
    jar.get(passkey_browser_name(site))
        .and_then(|cookie| Token::parse(TokenKind::Flow, cookie.value()))
}

fn passkey_browser_name(site: &SiteInfo) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-browser"
    } else {
        "strongroom-browser"
    }
}
