//! Invitations.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /auth/invites`.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    /// By vault: `viewer`, `editor` or `manager`. At most what one may give oneself.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// For administrators to give.
    #[serde(default)]
    pub is_admin: bool,
    /// The account will have this address, whatever whoever registers writes.
    #[serde(default)]
    pub email: Option<String>,
    /// `link`: the answer holds it, to hand over. `mail`: it goes to `email` and to nobody else.
    #[serde(default)]
    #[schema(example = "link")]
    pub delivery: Option<String>,
}

/// An open invitation.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct InviteInfo {
    pub id: String,
    pub invited_by: String,
    pub is_admin: bool,
    /// By vault.
    pub roles: BTreeMap<String, String>,
    pub email: Option<String>,
    /// `link` or `mail`.
    pub delivery: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// The answer to `POST /auth/invites`.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct MadeInvite {
    #[serde(flatten)]
    pub invite: InviteInfo,
    /// Shown this once; null where it went by mail.
    pub link: Option<String>,
}

/// `POST /auth/invites/preview`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownInvite {
    /// What stands after the # in the link.
    pub invite: String,
}
