//! Second factors, and confirming that it is still oneself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ProviderInfo;

/// `GET /auth/factors`: what one signs in with besides the password.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct WaysIn {
    /// Apps and passkeys, oldest first.
    pub factors: Vec<FactorInfo>,
    pub recovery_codes_left: usize,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recovery_codes_made_at: Option<Timestamp>,
    /// Whether the installation asks this account for a second factor.
    pub required: bool,
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct FactorInfo {
    pub id: String,
    /// `totp` or `passkey`.
    pub kind: String,
    pub name: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

/// `POST /auth/totp`: shown once, for an authenticator app (RFC 6238: SHA-1, 6 digits, 30 s).
#[derive(Deserialize, Serialize, ToSchema)]
pub struct NewTotp {
    /// Base32.
    pub secret: String,
    /// `otpauth://totp/…`
    pub uri: String,
    /// The same as a picture: an SVG document.
    pub qr: String,
}

/// `POST /auth/totp/confirm`
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    /// What the app shows now.
    #[schema(example = "123456")]
    pub code: String,
}

/// A second factor was set up.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct FactorAdded {
    pub factor: FactorInfo,
    /// With the first factor: ten, shown this once, each good for one sign-in.
    pub recovery_codes: Vec<String>,
}

impl std::fmt::Debug for FactorAdded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FactorAdded")
            .field("factor", &self.factor)
            .finish_non_exhaustive()
    }
}

/// `PATCH /auth/factors/{id}`
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameFactor {
    #[schema(min_length = 1, max_length = 64, example = "My phone")]
    pub name: String,
}

/// `POST /auth/recovery-codes`: shown this once.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// `GET /auth/step-up`: what this account confirms itself with.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that stand beside each other on the wire"
)]
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct StepUpNeeds {
    /// Whether the sign-in is recent enough for everything.
    pub recent: bool,
    /// Seconds that a sign-in is recent.
    pub max_age: u64,
    /// Whether `otp` is needed beside the password.
    pub otp: bool,
    /// Whether there is an authenticator app that shows codes.
    pub app: bool,
    /// Whether a passkey will do instead of both.
    pub passkey: bool,
    /// Providers whose accounts are joined: signing in there again (`/auth/oidc/{id}?again=1&next=…`) will do as well.
    #[serde(default)]
    pub providers: Vec<ProviderInfo>,
}

/// `POST /auth/step-up`
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    #[schema(format = Password)]
    pub password: String,
    /// Of an app, or a recovery code; needed where the account has a second factor.
    #[serde(default)]
    pub otp: Option<String>,
}

/// The session counts as signed in just now; with it, every token of it.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct SteppedUp {
    #[schema(value_type = String, format = DateTime)]
    pub signed_in_at: Timestamp,
    /// For callers that came with one: an access token that says so itself (`auth_time`). The old one stays good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// `POST /api/users/{username}/recover`
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recover {
    /// For the audit.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Lost the phone; called back on the number we know."
    )]
    pub reason: String,
}
