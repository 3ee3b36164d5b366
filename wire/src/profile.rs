//! One's own name and address.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Me, account::some};

/// `PATCH /auth/me`: what is not named stays; `null` empties. Nothing about rights: those are not one's own to give.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMe {
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

/// The answer to `PATCH /auth/me`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct ChangedMe {
    #[serde(flatten)]
    pub me: Me,
    /// Where a link was sent to: the address counts once it is followed.
    pub email_to_confirm: Option<String>,
}

/// `POST /auth/me/email/confirm`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailLink {
    /// What stands after the # in the link.
    pub token: String,
}
