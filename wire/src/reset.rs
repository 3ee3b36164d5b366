//! A new password by link.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /auth/reset`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskReset {
    /// A username or an e-mail address.
    #[schema(max_length = 320, example = "ada")]
    pub account: String,
}

/// `POST /auth/reset/confirm`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmReset {
    /// What stands behind the `#` of the link.
    #[schema(format = Password)]
    pub token: String,
    #[schema(min_length = 15, format = Password)]
    pub new_password: String,
}

/// `POST /api/users/{username}/reset`: shown once.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct ResetLink {
    /// To be handed over to whoever the account belongs to. It works once.
    pub link: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}
