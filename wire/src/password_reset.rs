//! Password reset links.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /auth/reset`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReset {
    /// A username or an e-mail address.
    #[schema(max_length = 320, example = "ada")]
    pub account: String,
}

/// `POST /auth/reset/confirm`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmReset {
    /// The part of the link after the `#`.
    #[schema(format = Password)]
    pub token: String,
    #[schema(min_length = 15, format = Password)]
    pub new_password: String,
}

/// `POST /api/users/{username}/reset`: shown only once.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct ResetLink {
    /// For the account's owner. It works once.
    pub link: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}
