//! Second factors, and step-up authentication.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ProviderInfo;

/// `GET /auth/factors`: the second factors of the caller.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct FactorOverview {
    /// Apps and passkeys, oldest first.
    pub factors: Vec<FactorInfo>,
    pub recovery_codes_left: usize,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recovery_codes_made_at: Option<Timestamp>,
    /// Whether the installation requires a second factor for this account.
    pub required: bool,
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct FactorInfo {
    pub id: String,
    #[schema(value_type = crate::FactorKind)]
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
    /// The same as a QR code: an SVG document.
    pub qr: String,
}

/// `POST /auth/totp/confirm`
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    /// The current code of the app.
    #[schema(example = "123456")]
    pub code: String,
}

/// A second factor was set up.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct FactorAdded {
    pub factor: FactorInfo,
    /// With the first factor: ten codes, shown only once. Each works for one sign-in.
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

/// `POST /auth/recovery-codes`: shown only once.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// `GET /auth/step-up`: the methods with which this account can reauthenticate.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that stand beside each other on the wire"
)]
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct StepUpOptions {
    /// Whether the last authentication is recent enough for every operation.
    pub recent: bool,
    /// Seconds for which an authentication counts as recent.
    pub max_age: u64,
    /// Whether `otp` is required besides the password.
    pub otp: bool,
    /// Whether the account has an authenticator app.
    pub app: bool,
    /// Whether a passkey can replace both.
    pub passkey: bool,
    /// Providers with a linked identity: signing in there again (`/auth/oidc/{id}?again=1&next=…`)
    /// also counts.
    #[serde(default)]
    pub providers: Vec<ProviderInfo>,
}

/// `POST /auth/step-up`
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    #[schema(format = Password)]
    pub password: String,
    /// A code of an app, or a recovery code; required if the account has a second factor.
    #[serde(default)]
    pub otp: Option<String>,
}

/// The session counts as authenticated just now, and so does each of its tokens.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct StepUpResponse {
    #[schema(value_type = String, format = DateTime)]
    pub signed_in_at: Timestamp,
    /// For callers with an access token: a new one with the current `auth_time`. The old one stays
    /// valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// `POST /api/users/{username}/recover`
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetFactors {
    /// For the audit.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Lost the phone; called back on the number we know."
    )]
    pub reason: String,
}
