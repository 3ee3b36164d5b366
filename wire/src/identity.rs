//! Accounts at upstream `OpenID` providers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Identities {
    /// Those that one may sign in with.
    pub providers: Vec<ProviderInfo>,
    /// Those accounts there that open this one.
    pub identities: Vec<IdentityInfo>,
}

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProviderInfo {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IdentityInfo {
    pub id: String,
    pub provider: String,
    pub provider_name: String,
    /// What it was called there when it was joined.
    pub known_as: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub linked_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LinkBegun {
    /// Where the browser goes now. For this browser only, within ten minutes.
    pub location: String,
}
