//! Passkeys (`WebAuthn` level 3): options for browsers, and their responses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The options for a browser. The response must repeat `ceremony`, once, within five minutes.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct PasskeyOptions {
    pub ceremony: String,
    /// `publicKey` of `navigator.credentials`, in the JSON of `WebAuthn` §5.1.8 and §5.1.9.
    #[serde(rename = "publicKey")]
    #[schema(value_type = Object)]
    pub public_key: Value,
}

/// `POST /auth/passkeys`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    pub ceremony: String,
    /// The owner's name for it.
    #[schema(min_length = 1, max_length = 64, example = "My phone")]
    pub name: String,
    /// The browser's `RegistrationResponseJSON`.
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// The response of `POST /auth/passkeys`.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct RegisteredPasskey {
    pub passkey: PasskeyInfo,
    /// With the first factor: ten codes, shown only once. Each works for one sign-in.
    pub recovery_codes: Vec<String>,
}

impl std::fmt::Debug for RegisteredPasskey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddedPasskey")
            .field("passkey", &self.passkey)
            .finish_non_exhaustive()
    }
}

/// A browser's assertion: for sign-in, as a second factor, or for step-up.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAssertion {
    pub ceremony: String,
    /// An `AuthenticationResponseJSON`.
    #[schema(value_type = Object)]
    pub credential: Value,
    /// For sign-in: the browser keeps the session after it is closed.
    #[serde(default)]
    pub stay_signed_in: bool,
}

/// `PATCH /auth/passkeys/{id}`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenamePasskey {
    #[schema(min_length = 1, max_length = 64, example = "My phone")]
    pub name: String,
}

/// One of the caller's passkeys.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct PasskeyInfo {
    pub id: String,
    pub name: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// Whether the passkey may be synced to the owner's other devices (`WebAuthn` backup
    /// eligibility).
    pub synced: bool,
}
