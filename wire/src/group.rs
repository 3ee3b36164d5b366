//! Groups, and their roles.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A group of accounts.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct GroupInfo {
    pub name: String,
    /// Usernames.
    pub members: Vec<String>,
    /// By vault.
    #[schema(value_type = BTreeMap<String, crate::Role>)]
    pub roles: BTreeMap<String, String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// `POST /api/groups`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    #[schema(min_length = 1, max_length = 64, example = "welders")]
    pub name: String,
}

/// The role of a group in a vault.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct GroupRole {
    pub group: String,
    pub role: String,
}
