//! Personal access tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /auth/tokens`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPersonalToken {
    /// The owner's name for it.
    #[schema(min_length = 1, max_length = 64, example = "nightly backup")]
    pub name: String,
    /// Of `files:read`, `files:write`, `locks:override`, `admin`. It never has more rights than its
    /// owner.
    #[schema(min_items = 1, example = json!(["files:read"]))]
    pub scopes: Vec<String>,
    /// Names of vaults. Default: all in which its owner has a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vaults: Option<Vec<String>>,
    /// 1 to 365. Default: 90.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 365)]
    pub expires_in_days: Option<u32>,
}

/// One of `GET /auth/tokens`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct PersonalToken {
    pub id: String,
    pub name: String,
    pub scopes: Vec<String>,
    /// `null` for all in which its owner has a role.
    pub vaults: Option<Vec<String>>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// `null` if never used; accurate to about five minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// The response of `POST /auth/tokens`.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct CreatedPersonalToken {
    /// The secret, shown only once: `sr_pat_…`.
    pub token: String,
    #[serde(flatten)]
    pub info: PersonalToken,
}
