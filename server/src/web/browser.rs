//! The browser's own cookie: whoever signs in with it is no stranger to the throttle any more. It opens nothing. Set
//! by whichever way a session's cookie is set, so no way in can forget it.

use std::sync::{Arc, OnceLock};

use auth::{Chance, Token, TokenHash, TokenKind};
use axum_extra::extract::{CookieJar, cookie::Cookie};
use http::{HeaderMap, HeaderValue, header};

use super::cookie;
use crate::state::Site;

/// Seconds, as long as the throttle remembers places: half a year.
const MAX_AGE: u32 = 180 * 24 * 60 * 60;

/// What the browser showed, or what it will be given if it signs in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser(Arc<OnceLock<Token>>);

impl Browser {
    pub(crate) fn of(headers: &HeaderMap, site: &Site) -> Self {
        let browser = Self::default();
        let jar = CookieJar::from_headers(headers);
        let shown = jar
            .get(name(site))
            .and_then(|cookie| Token::parse(TokenKind::Device, cookie.value()));
        if let Some(token) = shown {
            let _ = browser.0.set(token);
        }
        browser
    }

    pub(crate) fn hash(&self) -> TokenHash {
        self.token().hash()
    }

    /// `None` for a browser that showed nothing and has not been given anything.
    pub(crate) fn shown(&self) -> Option<TokenHash> {
        self.0.get().map(Token::hash)
    }

    fn token(&self) -> &Token {
        self.0
            .get_or_init(|| Token::random(TokenKind::Device, &Chance::system()))
    }

    /// Sets the cookie beside a session's, for another half year.
    pub(crate) fn stay(&self, headers: &mut HeaderMap, site: &Site) {
        let signs_in = |value: &HeaderValue| {
            let set = value.to_str().ok().and_then(|set| Cookie::parse(set).ok());
            set.is_some_and(|set| set.name() == site.cookie && !set.value().is_empty())
        };
        if !headers.get_all(header::SET_COOKIE).iter().any(signs_in) {
            return;
        }
        let set = cookie::named(site, name(site), self.token().expose().to_owned());
        if let Ok(set) = HeaderValue::try_from(format!("{set}; Max-Age={MAX_AGE}")) {
            headers.append(header::SET_COOKIE, set);
        }
    }
}

fn name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-strongroom-device"
    } else {
        "strongroom-device"
    }
}
