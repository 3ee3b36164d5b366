//! Accounts, sessions, and rights in vaults.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /auth/register`. A member that is not here (`is_admin`) is refused.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    #[schema(min_length = 1, max_length = 64, example = "ada")]
    pub username: String,
    #[schema(min_length = 15, format = Password)]
    pub password: String,
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    /// The part of an invitation's link after the `#`.
    #[serde(default)]
    pub invite: Option<String>,
}

/// The response of `POST /auth/register`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Registered {
    pub username: String,
    pub display_name: Option<String>,
    pub is_admin: bool,
}

/// `GET /auth/me`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Me {
    pub username: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    /// Whether the account has proved that it receives mail at this address.
    pub email_verified: bool,
    pub is_admin: bool,
    pub scopes: Vec<String>,
    /// Whether a second factor is set up.
    pub mfa: bool,
}

/// `PUT /auth/me/password`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[schema(format = Password)]
    pub current_password: String,
    #[schema(min_length = 15, format = Password)]
    pub new_password: String,
    /// Ends every session except the current one. Default: true.
    #[serde(default = "yes")]
    pub end_other_sessions: bool,
}

fn yes() -> bool {
    true
}

/// One of the caller's sessions, `GET /auth/sessions`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct SessionInfo {
    pub id: String,
    #[schema(value_type = crate::SessionKind)]
    pub kind: String,
    /// Whether this is the session of the request.
    pub current: bool,
    /// When the session began.
    #[schema(value_type = String, format = DateTime)]
    pub signed_in_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    pub address: String,
    pub user_agent: Option<String>,
    /// The authentication methods of the session (RFC 8176): `pwd`, `otp`, `pop`, …
    pub methods: Vec<String>,
    /// The name that its client gives.
    pub label: Option<String>,
    /// Whether the user stays signed in: the browser keeps the session, and it may be idle for days.
    #[serde(default)]
    pub stays_signed_in: bool,
}

/// `POST /auth/sessions/end-others`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct EndedSessions {
    pub ended: u64,
}

/// `POST /auth/ws-ticket`: for `?ticket=` of `/ws` and `/api/events`, once, within `expires_in`
/// seconds.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct Ticket {
    pub ticket: String,
    pub expires_in: u64,
}

/// An account as administrators see it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that stand beside each other on the wire"
)]
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct User {
    pub username: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub is_admin: bool,
    pub disabled: bool,
    /// The password is rejected until a reset link has set a new one.
    pub reset_required: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The last use of a session that is still stored.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sign_in_at: Option<Timestamp>,
    /// Whether a second factor is set up.
    pub mfa: bool,
    #[schema(value_type = Vec<crate::FactorKind>)]
    pub second_factors: Vec<String>,
    /// By vault: only the account's own roles.
    #[schema(value_type = std::collections::BTreeMap<String, crate::Role>)]
    pub roles: std::collections::BTreeMap<String, String>,
    pub groups: Vec<String>,
    /// By vault: the highest of its own role and those of its groups.
    #[schema(value_type = std::collections::BTreeMap<String, crate::Role>)]
    pub effective_roles: std::collections::BTreeMap<String, String>,
}

/// `PATCH /api/users/{username}`: missing members stay unchanged; `null` clears.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    #[serde(
        default,
        deserialize_with = "some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub display_name: Option<Option<String>>,
    #[serde(
        default,
        deserialize_with = "some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub email: Option<Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_admin: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// True ends every session and rejects the password until a reset link has set a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_required: Option<bool>,
}

/// Distinguishes a missing member from `null`.
#[expect(
    clippy::option_option,
    reason = "left out, null and a value are three things in a PATCH (RFC 7396)"
)]
pub(crate) fn some<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

/// A vault and the caller's role in it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct VaultInfo {
    pub name: String,
    #[schema(value_type = crate::Role)]
    pub role: String,
}

/// `POST /api/vaults`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVault {
    #[schema(min_length = 1, max_length = 64, example = "fixtures")]
    pub name: String,
}

/// `POST /api/sessions/end-all`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndAllSessions {
    /// Keeps the current session. Default: true.
    #[serde(default = "yes")]
    pub keep_own: bool,
    /// Ends personal access tokens too. Default: false.
    #[serde(default)]
    pub end_tokens: bool,
    /// For the audit.
    #[schema(min_length = 1, max_length = 500, example = "A laptop was stolen.")]
    pub reason: String,
}

/// A member of a vault, with the role.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct MemberInfo {
    pub username: String,
    pub display_name: Option<String>,
    /// The highest role.
    #[schema(value_type = crate::Role)]
    pub role: String,
    /// The role of the account itself.
    #[schema(value_type = Option<crate::Role>)]
    pub own_role: Option<String>,
    /// By group.
    #[schema(value_type = std::collections::BTreeMap<String, crate::Role>)]
    pub through: std::collections::BTreeMap<String, String>,
}

/// `PUT /api/vaults/{vault}/members/{username}`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    #[schema(value_type = crate::Role, example = "editor")]
    pub role: String,
}
