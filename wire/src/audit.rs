//! Entries of the audit log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One entry of the audit: in `GET /api/audit`, `GET /auth/audit`, `GET /api/vaults/{vault}/audit`,
/// and a line of `strongroom audit export`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuditEntry {
    /// `accounts`, or a vault's id.
    pub chain: String,
    /// The vault's name, if it exists.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vault: Option<String>,
    /// Counts from 1 within the chain, without gaps.
    pub n: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The account that acted, or tried to. Empty if unknown.
    pub actor: String,
    #[schema(example = "role.changed")]
    pub action: String,
    /// The account, file or other object of the action.
    pub subject: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<AuditActor>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<AuditOrigin>,
    /// The previous values, if something changed.
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

/// The means by which the actor acted: a session, a token or the console.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuditActor {
    #[schema(value_type = crate::ActorKind)]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<String>,
    /// The owner's name for a token or device.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
}

/// The origin of a request.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuditOrigin {
    pub address: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_agent: Option<String>,
}
