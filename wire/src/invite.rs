//! Invitations.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /auth/invites`.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    /// By vault. At most the roles that the caller can grant.
    #[schema(value_type = BTreeMap<String, crate::Role>)]
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// Only administrators can set them. The new account becomes a member.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Only administrators can set it.
    #[serde(default)]
    pub is_admin: bool,
    /// The new account gets this address; registration cannot choose another.
    #[serde(default)]
    pub email: Option<String>,
    /// `link`: the response contains the link, to pass on. `mail`: it is sent to `email` only.
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    pub email: Option<String>,
    /// `link` or `mail`.
    pub delivery: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// The response of `POST /auth/invites`.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct CreatedInvite {
    #[serde(flatten)]
    pub invite: InviteInfo,
    /// Shown only once; null if it was sent by mail.
    pub link: Option<String>,
}

/// `POST /auth/invites/preview`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewInvite {
    /// The part of the link after the `#`.
    pub invite: String,
}
