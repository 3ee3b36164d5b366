//! Passkeys (`WebAuthn` level 3): a key on somebody's device that signs for this installation only, after the device
//! has checked who holds it. One alone signs in; after a password it is the second factor.
//!
//! Here are its shapes and how it is kept. What browsers are asked is in `party`, what is under way in `ceremony`,
//! adding and removing in `keeping`, everything that is proved with one in `proving` and `confirming`.

mod authentication;
mod ceremony;
mod error;
mod management;
mod mfa;
mod relying_party;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use webauthn_rs::prelude::Passkey;

pub(crate) use self::relying_party::RelyingParty;
pub use self::{error::PasskeyError, relying_party::webauthn_origin};
use crate::{
    Auth, AuthError, AuthStore, DisplayName, Factor, FactorId, FactorKind, Username,
    factor::RecoveryCode,
};

/// Where and how many. Passkeys work at the public URL ([`Settings::issuer`](crate::Settings)) if it is one where
/// browsers make them: https with a name, or this machine. Its host is what they are bound to for ever.
#[derive(Clone, Debug)]
pub struct PasskeyRules {
    /// What browsers call the installation.
    pub name: String,
    /// So many an account.
    pub max_passkeys: usize,
}

impl Default for PasskeyRules {
    fn default() -> Self {
        Self {
            name: "Strongroom".to_owned(),
            max_passkeys: 20,
        }
    }
}

/// What a browser is asked for.
#[derive(Debug)]
pub struct PasskeyChallenge {
    /// Names the ceremony: comes back with the answer, once, within five minutes.
    pub ceremony: String,
    /// `publicKey` of `navigator.credentials`, as JSON (`WebAuthn` §5.1.8, §5.1.9).
    pub options: serde_json::Value,
}

/// What a browser answered; none of it is believed yet.
#[derive(Clone, Copy, Debug)]
pub struct PasskeyResponse<'a> {
    pub ceremony: &'a str,
    pub credential: &'a serde_json::Value,
}

/// A passkey as its owner sees it.
#[derive(Clone, Debug)]
pub struct PasskeyInfo {
    pub id: FactorId,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// Whether the owner's other devices may have it too (`WebAuthn` §6.1.3).
    pub synced: bool,
}

/// A passkey about to be added.
#[derive(Debug)]
pub struct NewPasskey<'a> {
    pub response: PasskeyResponse<'a>,
    pub name: DisplayName,
}

/// A passkey that was added.
#[derive(Debug)]
pub struct AddedPasskey {
    pub passkey: PasskeyInfo,
    /// Made with the first second factor; none with a further one.
    pub recovery_codes: Vec<RecoveryCode>,
}

/// `body` of a factor of this kind.
#[derive(Debug, Serialize, Deserialize)]
struct PasskeyBody {
    /// The user handle (§5.4.3): random, one for all of an account's passkeys, so that devices keep them together.
    handle: Uuid,
    passkey: Passkey,
    /// Sign-ins of the last minutes, so that none is repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ended: Vec<ceremony::ReplayMarker>,
}

/// One as it is stored, read.
#[derive(Debug)]
struct StoredPasskey {
    factor: Factor,
    body: PasskeyBody,
}

impl StoredPasskey {
    fn parse(factor: Factor) -> Result<Self, AuthError> {
        let body = serde_json::from_str(&factor.body)
            .map_err(|_| AuthError::Internal("a passkey cannot be read"))?;
        Ok(Self { factor, body })
    }
}

impl PasskeyBody {
    fn to_json(&self) -> Result<String, AuthError> {
        serde_json::to_string(self).map_err(|_| AuthError::Internal("a passkey is no JSON"))
    }

    /// The crate shows this in its JSON only.
    fn is_synced(&self) -> bool {
        serde_json::to_value(&self.passkey)
            .is_ok_and(|passkey| passkey["cred"]["backup_state"] == true)
    }
}

/// The credential id, as browsers write it.
fn factor_id(credential: &[u8]) -> FactorId {
    FactorId::new(&BASE64URL.encode(credential))
}

impl<S: AuthStore> Auth<S> {
    fn relying_party(&self) -> Result<&RelyingParty, AuthError> {
        self.0
            .relying_party
            .as_ref()
            .ok_or(AuthError::Passkey(PasskeyError::Unavailable))
    }

    /// Oldest first.
    async fn stored_passkeys(&self, of: &Username) -> Result<Vec<StoredPasskey>, AuthError> {
        let factors = self.0.store.factors(of).await?;
        factors
            .into_iter()
            .filter(|factor| factor.kind == FactorKind::Passkey)
            .map(StoredPasskey::parse)
            .collect()
    }
}
