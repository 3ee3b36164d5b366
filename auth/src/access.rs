//! Access tokens: JWTs (RFC 7519, RFC 9068) signed with HS256. A good signature says that we made it and nothing
//! about whether its session is still alive: that is the [directory](crate::directory)'s to say.

use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AuthError, Chance, Session, SessionId, Username,
    auth::Settings,
    clock,
    key::{MasterKey, Purpose},
};

/// Longer ones are refused unread.
const MOST_BYTES: usize = 4_096;
/// How far another node's clock may run ahead of ours. `exp` gets none of it.
const LEEWAY: Duration = Duration::from_secs(5);

/// Times are whole seconds since 1970. All of them are required; a text where a number belongs is refused
/// (CVE-2026-25537), and so is a list of audiences.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    sid: String,
    scope: String,
    auth_time: i64,
    amr: Vec<String>,
}

/// What a good token says.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) username: Username,
    pub(crate) session: SessionId,
    pub(crate) scope: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) struct Issued {
    pub(crate) token: SecretString,
    pub(crate) expires_in: Duration,
}

pub(crate) struct AccessTokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    header: Header,
    rules: Validation,
    issuer: String,
    audience: String,
    lifetime: Duration,
}

impl AccessTokens {
    pub(crate) fn new(keys: &MasterKey, settings: &Settings) -> Result<Self, AuthError> {
        let key = keys.part(Purpose::AccessToken)?;
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(hex::encode(&keys.part(Purpose::AccessTokenName)?[..8]));
        // The crate asks the system for the time and forgives a minute: we look at times and names ourselves.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        rules.validate_aud = false;
        Ok(Self {
            signing: EncodingKey::from_secret(&key),
            verifying: DecodingKey::from_secret(&key),
            header,
            rules,
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            lifetime: settings.access_lifetime,
        })
    }

    /// A token for `session`, which it does not outlive.
    pub(crate) fn issue(&self, session: &Session, now: Timestamp, chance: &Chance) -> Result<Issued, AuthError> {
        let expires_at = clock::after(now, self.lifetime).min(session.expires_at);
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: session.username.as_str().to_owned(),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: expires_at.as_second(),
            jti: uuid::Builder::from_random_bytes(chance.bytes()).into_uuid().to_string(),
            sid: session.id.as_str().to_owned(),
            scope: session.grants.to_string(),
            auth_time: session.auth_time.as_second(),
            amr: session.methods.amr(),
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.signing)
            .map_err(|_| AuthError::Internal("signing an access token failed"))?;
        Ok(Issued { token: token.into(), expires_in: clock::between(now, expires_at) })
    }

    /// What `token` says, if we made it, for us, and its time is now. Never why not.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Option<Shown> {
        if token.len() > MOST_BYTES {
            return None;
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.rules).ok()?;
        self.is_our_header(&read.header).then_some(())?;
        let claims = read.claims;
        let begins_by = clock::after(now, LEEWAY).as_second();
        let in_time = claims.nbf <= begins_by && claims.iat <= begins_by && now.as_second() < claims.exp;
        let ours = claims.iss == self.issuer && claims.aud == self.audience && !claims.amr.is_empty();
        let named = Uuid::try_parse(&claims.jti).is_ok() && claims.auth_time <= begins_by;
        (in_time && ours && named).then_some(())?;
        Some(Shown {
            username: Username::parse(&claims.sub).ok().filter(|name| name.as_str() == claims.sub)?,
            session: SessionId::new(&claims.sid),
            scope: claims.scope,
            issued_at: Timestamp::from_second(claims.iat).ok()?,
            expires_at: Timestamp::from_second(claims.exp).ok()?,
        })
    }

    /// RFC 9068 §4: the type tells access tokens from any other JWT; extensions that we do not know are refused
    /// (RFC 7515 §4.1.11). A `kid` that is not ours names a key that is gone.
    fn is_our_header(&self, header: &Header) -> bool {
        let typ = header.typ.as_deref().unwrap_or_default();
        header.alg == Algorithm::HS256
            && (typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt"))
            && header.kid == self.header.kid
            && header.crit.is_none()
    }
}

#[cfg(test)]
mod tests;
