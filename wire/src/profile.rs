//! The caller's own name and e-mail address.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Me, account::some};

/// `PATCH /auth/me`: missing members stay unchanged; `null` clears. Rights are absent: only
/// administrators and managers grant them.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMe {
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
}

/// The response of `PATCH /auth/me`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct UpdatedMe {
    #[serde(flatten)]
    pub me: Me,
    /// The address that a confirmation link was sent to. It takes effect when the link is used.
    pub email_to_confirm: Option<String>,
}

/// `POST /auth/me/email/confirm`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailLink {
    /// The part of the link after the `#`.
    pub token: String,
}
