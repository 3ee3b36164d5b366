//! Passkeys (`WebAuthn` level 3): key pairs on the user's device, bound to this installation. The
//! device verifies its user before it signs. A passkey signs in alone, or is the second factor
//! after a password.
//!
//! This file holds the types and the storage. `relying_party` wraps the webauthn crate, `ceremony`
//! holds pending state, `management` adds and removes passkeys, `authentication` and `mfa` verify
//! assertions.

mod authentication;
mod ceremony;
mod error;
mod management;
mod mfa;
mod relying_party;
mod shape;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use webauthn_rs::prelude::Passkey;

pub(crate) use self::relying_party::RelyingParty;
pub use self::{error::PasskeyError, relying_party::webauthn_origin};
pub use crate::settings::PasskeyRules;

use crate::{
    AuthError, AuthStore, DisplayName, Factor, FactorId, FactorKind, Passkeys, Username,
    error::FactorError, factor::RecoveryCode,
};

/// Options for the browser.
#[derive(Debug)]
pub struct PasskeyChallenge {
    /// Identifies the ceremony. The response must repeat it, once, within five minutes.
    pub ceremony: String,
    /// `publicKey` of `navigator.credentials`, as JSON (`WebAuthn` §5.1.8, §5.1.9).
    pub options: serde_json::Value,
}

/// The browser's unverified response.
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
    /// Whether the passkey may be synchronized to other devices (`WebAuthn` §6.1.3).
    pub synced: bool,
}

/// A registration request.
#[derive(Debug)]
pub struct NewPasskey<'a> {
    pub response: PasskeyResponse<'a>,
    pub name: DisplayName,
}

/// A registered passkey.
#[derive(Debug)]
pub struct AddedPasskey {
    pub passkey: PasskeyInfo,
    /// Created with the first second factor; otherwise empty.
    pub recovery_codes: Vec<RecoveryCode>,
}

/// The `body` of a factor of the kind `Passkey`.
#[derive(Debug, Serialize, Deserialize)]
struct PasskeyBody {
    /// The user handle (§5.4.3): random, and the same for all passkeys of an account, so that
    /// devices group them.
    handle: Uuid,
    passkey: Passkey,
    /// Markers of recent sign-ins, against replay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ended: Vec<ceremony::ReplayMarker>,
}

/// A stored passkey, parsed.
#[derive(Debug)]
struct StoredPasskey {
    factor: Factor,
    body: PasskeyBody,
}

impl StoredPasskey {
    fn parse(factor: Factor) -> Result<Self, AuthError> {
        let body = serde_json::from_str(&factor.body)
            .map_err(|_| AuthError::Internal("stored passkey could not be parsed"))?;
        Ok(Self { factor, body })
    }
}

impl PasskeyBody {
    fn to_json(&self) -> Result<String, AuthError> {
        serde_json::to_string(self)
            .map_err(|_| AuthError::Internal("passkey could not be serialized"))
    }

    /// The crate exposes this only in its JSON.
    fn is_synced(&self) -> bool {
        serde_json::to_value(&self.passkey)
            .is_ok_and(|passkey| passkey["cred"]["backup_state"] == true)
    }
}

/// The credential id in base64url, as browsers send it.
fn factor_id(credential: &[u8]) -> FactorId {
    FactorId::new(&BASE64URL.encode(credential))
}

impl<'a, S: AuthStore> Passkeys<'a, S> {
    fn relying_party(self) -> Result<&'a RelyingParty, AuthError> {
        self.0
            .factors
            .relying_party
            .as_ref()
            .ok_or(AuthError::Factor(FactorError::Passkey(
                PasskeyError::Unavailable,
            )))
    }

    /// Oldest first.
    async fn stored_passkeys(self, of: &Username) -> Result<Vec<StoredPasskey>, AuthError> {
        let factors = self.0.core.store.factors(of).await?;
        factors
            .into_iter()
            .filter(|factor| factor.kind == FactorKind::Passkey)
            .map(StoredPasskey::parse)
            .collect()
    }
}
