//! Authorization of OAuth clients: the device flow (RFC 8628) and the code flow (RFC 6749 §4.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The form of `POST /auth/device` (RFC 8628 §3.1), for the API document.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct DeviceForm {
    /// Default: `strongroom-cli`.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Default: `files:read files:write locks:override`.
    #[serde(default)]
    pub scope: Option<String>,
}

/// RFC 8628 §3.2.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct DeviceAuthorization {
    pub device_code: String,
    /// The user types it at `verification_uri`.
    #[schema(example = "WDJB-MJHT")]
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    /// Seconds.
    pub expires_in: u64,
    /// Minimum seconds between two polls.
    pub interval: u64,
}

/// `POST /auth/device/look`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCodeLookup {
    /// As the user typed it.
    pub user_code: String,
}

/// A request that waits for a decision.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct PendingDevice {
    /// Identifies the request that the user saw; the decision must repeat it.
    pub request: String,
    pub user_code: String,
    pub program: String,
    pub scopes: Vec<String>,
    /// The address of the device's request.
    pub address: String,
    pub user_agent: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// `POST /auth/device/decide`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceDecision {
    pub user_code: String,
    /// From the response of `look`.
    pub request: String,
    pub decision: ConsentDecision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentDecision {
    Approve,
    Deny,
}

/// `POST /auth/authorize`: the parameters of the page (RFC 6749 §4.1.1, RFC 7636 §4.3), and the
/// user's decision.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    pub client_id: String,
    pub redirect_uri: String,
    #[serde(default)]
    pub response_type: Option<String>,
    /// Only `query` is supported.
    #[serde(default)]
    pub response_mode: Option<String>,
    #[serde(default)]
    pub scope: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub code_challenge: Option<String>,
    #[serde(default)]
    pub code_challenge_method: Option<String>,
    pub decision: ConsentDecision,
}

/// The URL that the browser goes to next.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct AuthorizeRedirect {
    pub redirect_to: String,
}
