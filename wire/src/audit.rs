//! What happened, as it is told to those who may know.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One entry of the audit: in `GET /api/audit`, `GET /auth/audit`, `GET /api/vaults/{vault}/audit`, and a line of
/// `strongroom audit export`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuditEntry {
    /// `accounts`, or a vault's id.
    pub chain: String,
    /// The vault's name, while it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vault: Option<String>,
    /// Counts from 1 within the chain, without gaps.
    pub n: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Whoever did it, or tried to. Empty where that is not known.
    pub actor: String,
    #[schema(example = "role.changed")]
    pub action: String,
    /// Whom or what it is about.
    pub subject: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<AuditBehalf>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<AuditPlace>,
    /// What was there, where something changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    #[schema(value_type = Object)]
    pub facts: Map<String, Value>,
    /// SHA-256, hex, over the entry and `prev_hash`.
    pub hash: String,
    pub prev_hash: String,
}

/// On whose behalf.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuditBehalf {
    /// `web`, `tokens`, `personal` or `console`.
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<String>,
    /// What the owner calls a token or device.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
}

/// From where.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuditPlace {
    pub address: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_agent: Option<String>,
}
