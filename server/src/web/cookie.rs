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

/// Whether the browser keeps the session after it is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stay {
    SignedIn,
    #[default]
    UntilBrowserCloses,
}

impl Stay {
    /// The value of a checkbox or query parameter.
    pub(crate) fn from_field(value: Option<&str>) -> Self {
        match value {
            Some("1" | "on" | "true") => Self::SignedIn,
            _ => Self::UntilBrowserCloses,
        }
    }

    /// The choice at the first step of a sign-in with several.
    pub(crate) fn from_first_step(site: &SiteInfo, jar: &CookieJar) -> Self {
        Self::from_field(jar.get(stay_name(site)).map(Cookie::value))
    }

    pub(crate) fn is_chosen(self) -> bool {
        self == Self::SignedIn
    }

    /// Remembers the choice for the next step. It grants no access.
    pub(crate) fn cookie(self, site: &SiteInfo) -> Cookie<'static> {
        let mut cookie = new_cookie(site, stay_name(site), "1".to_owned());
        if !self.is_chosen() {
            cookie.set_value("");
            cookie.make_removal();
        }
        cookie
    }
}

fn stay_name(site: &SiteInfo) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-stay"
    } else {
        "strongroom-stay"
    }
}

/// The cookie of a new session. With `Max-Age` if the user stays signed in, else it ends with the
/// browser. The server enforces the expiry of the session.
pub(super) fn session(site: &SiteInfo, secret: &Token, stay: Stay) -> Cookie<'static> {
    let cookie = session_with_value(site, secret.expose().to_owned());
    let lifetime = site.config.sessions.absolute.as_secs();
    match Cookie::parse(format!("{cookie}; Max-Age={lifetime}")) {
        Ok(kept) if stay.is_chosen() => kept,
        _ => cookie,
    }
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
