//! Identities at upstream `OpenID` providers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Identities {
    /// The providers for sign-in.
    pub providers: Vec<ProviderInfo>,
    /// The identities that sign in to this account.
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
    /// The account's name at the provider when it was linked.
    pub known_as: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub linked_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LinkStarted {
    /// The URL that the browser goes to next. For this browser only, within ten minutes.
    pub location: String,
}
