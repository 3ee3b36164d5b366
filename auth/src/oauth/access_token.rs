//! Access tokens: JWTs (RFC 7519, RFC 9068), signed with a key of the [key
//! ring](crate::keys::ring).
//!
//! A valid signature proves only that this installation issued the token. Deliberately absent:
//! whether its session is still live. The [session cache](crate::session::cache) decides that.

use std::{
    borrow::Cow,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;
use jsonwebtoken::Header;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AuthError, Scopes, SecureRandom, Session, SessionId, Username, clock,
    keys::{
        ring::MAX_ACCESS_LIFETIME,
        signing::{ParsedToken, VerificationKeys},
    },
    oauth::client::FIRST_PARTY_CLIENT_ID,
    settings::Settings,
};

/// Bytes. Longer tokens are rejected without parsing.
const MAX_BYTES: usize = 4_096;
/// Times are whole seconds since 1970. Every member is required. A string where a number belongs is
/// rejected (CVE-2026-25537), and so is a list of audiences.
#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
    #[serde(borrow)]
    sub: Cow<'a, str>,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(borrow)]
    jti: Cow<'a, str>,
    #[serde(borrow)]
    sid: Cow<'a, str>,
    #[serde(borrow)]
    scope: Cow<'a, str>,
    auth_time: i64,
    amr: Vec<String>,
    /// RFC 9068 §2.2. [`FIRST_PARTY_CLIENT_ID`] where the session began without a client.
    #[serde(skip_deserializing)]
    client_id: String,
}

/// The validated claims of an access token.
#[derive(Debug)]
pub(crate) struct AccessClaims {
    pub(crate) username: Username,
    pub(crate) session: SessionId,
    pub(crate) scopes: Scopes,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) struct IssuedToken {
    pub(crate) token: SecretString,
    pub(crate) expires_in: Duration,
}

/// Why a token was rejected. Never part of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessTokenError {
    /// This process does not know the `kid`: the key is new, or the token is forged.
    UnknownKeyId,
    Invalid,
}

pub(crate) struct AccessTokens {
    keys: RwLock<Arc<VerificationKeys>>,
    issuer: String,
    audience: String,
    lifetime: Duration,
}

impl AccessTokens {
    pub(crate) fn new(keys: VerificationKeys, settings: &Settings) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            lifetime: settings.access_lifetime.min(MAX_ACCESS_LIFETIME),
        }
    }

    pub(crate) fn keys(&self) -> Arc<VerificationKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the keys. True if the signing key changed.
    pub(crate) fn set_keys(&self, keys: VerificationKeys) -> bool {
        let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = current.signing().kid != keys.signing().kid;
        *current = Arc::new(keys);
        is_new
    }

    /// Issues a token that expires no later than `session`.
    pub(crate) fn issue(
        &self,
        session: &Session,
        scopes: Scopes,
        now: Timestamp,
        rng: &SecureRandom,
    ) -> Result<IssuedToken, AuthError> {
        metrics::counter!("strongroom_tokens_issued_total").increment(1);
        let expires_at = clock::add(now, self.lifetime).min(session.expires_at);
        let claims = Claims {
            iss: self.issuer.as_str().into(),
            aud: self.audience.as_str().into(),
            sub: session.username.as_str().into(),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: expires_at.as_second(),
            jti: uuid::Builder::from_random_bytes(rng.bytes())
                .into_uuid()
                .to_string()
                .into(),
            sid: session.id.as_str().into(),
            scope: scopes.to_string().into(),
            auth_time: session.auth_time.min(now).as_second(),
            amr: session.methods.amr(),
            client_id: session
                .client
                .clone()
                .unwrap_or_else(|| FIRST_PARTY_CLIENT_ID.to_owned()),
        };
        let token = self.keys().signing().sign(&claims)?;
        Ok(IssuedToken {
            token: token.into(),
            expires_in: clock::since(now, expires_at),
        })
    }

    /// Verifies signature, header and claims. Issuer and audience must be ours.
    pub(crate) fn verify(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessClaims, AccessTokenError> {
        if token.len() > MAX_BYTES {
            return Err(AccessTokenError::Invalid);
        }
        match self.keys().parse(token) {
            ParsedToken::Signed(header, payload) if is_access_token_header(&header) => {
                let claims =
                    serde_json::from_slice(&payload).map_err(|_| AccessTokenError::Invalid)?;
                self.validate_claims(&claims, now)
                    .ok_or(AccessTokenError::Invalid)
            }
            ParsedToken::UnknownKey => Err(AccessTokenError::UnknownKeyId),
            ParsedToken::Signed(..) | ParsedToken::Malformed => Err(AccessTokenError::Invalid),
        }
    }

    fn validate_claims(&self, claims: &Claims<'_>, now: Timestamp) -> Option<AccessClaims> {
        // Leeway for `iat`, `nbf` and `auth_time`, never for `exp`: a clock may have been set back.
        let latest_start = clock::add(now, clock::CLOCK_LEEWAY).as_second();
        let is_current = claims.nbf <= latest_start
            && claims.iat <= latest_start
            && now.as_second() < claims.exp;
        let is_ours =
            claims.iss == self.issuer && claims.aud == self.audience && !claims.amr.is_empty();
        let has_valid_ids =
            Uuid::try_parse(&claims.jti).is_ok() && claims.auth_time <= latest_start;
        (is_current && is_ours && has_valid_ids).then_some(())?;
        Some(AccessClaims {
            username: Username::parse(&claims.sub)
                .ok()
                .filter(|name| name.as_str() == claims.sub)?,
            session: SessionId::new(&claims.sid),
            scopes: Scopes::parse(&claims.scope).ok()?,
            issued_at: Timestamp::from_second(claims.iat).ok()?,
            expires_at: Timestamp::from_second(claims.exp).ok()?,
        })
    }
}

/// RFC 9068 §4: `typ` distinguishes access tokens from other JWTs. Unknown critical extensions are
/// rejected (RFC 7515 §4.1.11).
fn is_access_token_header(header: &Header) -> bool {
    let typ = header.typ.as_deref().unwrap_or_default();
    let is_access =
        typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt");
    is_access && header.crit.is_none()
}

#[cfg(test)]
mod tests;
