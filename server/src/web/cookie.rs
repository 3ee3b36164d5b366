//! Our cookies (RFC 6265bis).

use auth::{
    Token, TokenKind, access::extract::cookie_values, session::mfa_challenge::MfaChallenge,
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use http::{HeaderMap, HeaderName};

use crate::{extract::parse_boolean, site::SiteInfo};

/// Tells browsers to delete cached and stored data of this site (W3C Clear-Site-Data).
pub(crate) const CLEAR_SITE_DATA: (HeaderName, &str) = (
    HeaderName::from_static("clear-site-data"),
    "\"cache\", \"storage\"",
);

/// A cookie with a token. The session cookie is read by the doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieKind {
    /// Binds upstream logins to the browser that started them. All windows share it, so it stays
    /// when one login completes. It grants no access.
    UpstreamLogin,
    /// Identifies a sign-in that waits for its second factor. The server enforces its expiry.
    Mfa,
    /// Binds passkey ceremonies to the browser that started them. All windows share it, because
    /// several may sign in at the same time.
    PasskeyBrowser,
    /// Marks the browser as a known device for the throttle. It grants no access.
    Device,
}

impl CookieKind {
    fn plain_name(self, site: &SiteInfo) -> &'static str {
        match (self, site.is_https()) {
            (Self::UpstreamLogin, true) => "__Host-strongroom-departure",
            (Self::UpstreamLogin, false) => "strongroom-departure",
            (Self::Mfa, true) => "__Host-strongroom-second",
            (Self::Mfa, false) => "strongroom-second",
            (Self::PasskeyBrowser, true) => "__Host-strongroom-browser",
            (Self::PasskeyBrowser, false) => "strongroom-browser",
            (Self::Device, true) => "__Host-strongroom-device",
            (Self::Device, false) => "strongroom-device",
        }
    }

    fn name(self, site: &SiteInfo) -> String {
        format!("{}{}", self.plain_name(site), site.cookie_suffix)
    }

    fn token_kind(self) -> TokenKind {
        match self {
            Self::UpstreamLogin | Self::Mfa | Self::PasskeyBrowser => TokenKind::Flow,
            Self::Device => TokenKind::KnownDevice,
        }
    }

    /// The token of the request. A value that is no token does not hide one that is. A name without
    /// the port, from an earlier version, counts last.
    pub(crate) fn read(self, site: &SiteInfo, headers: &HeaderMap) -> Option<Token> {
        let named = |name: &str| {
            cookie_values(headers, name).find_map(|value| Token::parse(self.token_kind(), value))
        };
        named(&self.name(site)).or_else(|| named(self.plain_name(site)))
    }

    /// The cookie that stores the token.
    pub(crate) fn with(self, site: &SiteInfo, token: &Token) -> Cookie<'static> {
        let mut cookie = new_cookie(site, self.name(site), token.expose().to_owned());
        if self == Self::PasskeyBrowser {
            cookie.set_same_site(SameSite::Strict);
        }
        cookie
    }
}

pub(crate) fn mfa(site: &SiteInfo, challenge: &MfaChallenge) -> Cookie<'static> {
    CookieKind::Mfa.with(site, &challenge.token)
}

pub(crate) fn clear_mfa(site: &SiteInfo) -> Cookie<'static> {
    let mut cookie = new_cookie(site, CookieKind::Mfa.name(site), String::new());
    cookie.make_removal();
    cookie
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
        match value.and_then(parse_boolean) {
            Some(true) => Self::SignedIn,
            _ => Self::UntilBrowserCloses,
        }
    }

    /// The choice at the first step of a sign-in with several.
    pub(crate) fn from_first_step(site: &SiteInfo, headers: &HeaderMap) -> Self {
        Self::from_field(cookie_values(headers, &stay_name(site)).next())
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

fn stay_name(site: &SiteInfo) -> String {
    let name = if site.is_https() {
        "__Host-strongroom-stay"
    } else {
        "strongroom-stay"
    };
    format!("{name}{}", site.cookie_suffix)
}

/// The cookie of a new session. With `Max-Age` if the user stays signed in, else it ends with the
/// browser. The server enforces the expiry of the session.
pub(super) fn session(site: &SiteInfo, secret: &Token, stay: Stay) -> Cookie<'static> {
    let name = site.session_cookie.clone();
    let cookie = new_cookie(site, name, secret.expose().to_owned());
    let lifetime = site.config.sessions.absolute.as_secs();
    match Cookie::parse(format!("{cookie}; Max-Age={lifetime}")) {
        Ok(kept) if stay.is_chosen() => kept,
        _ => cookie,
    }
}

/// Removes the session cookie, also under the name of an earlier version.
pub(crate) fn clear_session(site: &SiteInfo) -> CookieJar {
    let former = site.former_session_cookie.map(str::to_owned);
    let names = std::iter::once(site.session_cookie.clone()).chain(former);
    names.fold(CookieJar::new(), |jar, name| {
        let mut cookie = new_cookie(site, name, String::new());
        cookie.make_removal();
        jar.add(cookie)
    })
}

fn new_cookie(site: &SiteInfo, name: String, value: String) -> Cookie<'static> {
    let mut cookie = Cookie::new(name, value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(site.is_https());
    cookie
}
