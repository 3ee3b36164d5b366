//! The device cookie. It marks the browser as a known device for the throttle and grants no access.
//! It is set together with every session cookie.

use std::sync::{Arc, OnceLock};

use auth::{SecureRandom, Token, TokenHash, TokenKind};
use axum_extra::extract::cookie::Cookie;
use http::{HeaderMap, HeaderValue, header};

use super::cookie::CookieKind;
use crate::site::SiteInfo;

/// Seconds. Half a year, as long as the throttle remembers sources.
const MAX_AGE_SECONDS: u32 = 180 * 24 * 60 * 60;

/// The token that the browser sent, or the one it will get at sign-in.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceCookie(Arc<OnceLock<Token>>);

impl DeviceCookie {
    pub(crate) fn from_headers(headers: &HeaderMap, site: &SiteInfo) -> Self {
        let device = Self::default();
        if let Some(token) = CookieKind::Device.read(site, headers) {
            let _ = device.0.set(token);
        }
        device
    }

    pub(crate) fn hash(&self) -> TokenHash {
        self.token().hash()
    }

    /// `None` if the browser sent no token and has not been given one.
    pub(crate) fn presented(&self) -> Option<TokenHash> {
        self.0.get().map(Token::hash)
    }

    fn token(&self) -> &Token {
        self.0
            .get_or_init(|| Token::random(TokenKind::KnownDevice, &SecureRandom::system()))
    }

    /// Sets the cookie together with a session cookie, for another half year.
    pub(crate) fn set_on_sign_in(&self, headers: &mut HeaderMap, site: &SiteInfo) {
        let signs_in = |value: &HeaderValue| {
            let set = value.to_str().ok().and_then(|set| Cookie::parse(set).ok());
            set.is_some_and(|set| set.name() == site.session_cookie && !set.value().is_empty())
        };
        if !headers.get_all(header::SET_COOKIE).iter().any(signs_in) {
            return;
        }
        let set = CookieKind::Device.with(site, self.token());
        if let Ok(set) = HeaderValue::try_from(format!("{set}; Max-Age={MAX_AGE_SECONDS}")) {
            headers.append(header::SET_COOKIE, set);
        }
    }
}
