//! `PATCH /auth/me`

use auth::{DisplayName, EmailAddress, Interactive, accounts::profile::ProfileChange};
use axum::{Json, extract::State};
use wire::{UpdateMe, UpdatedMe};

use super::{me, register::parse_optional};
use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Change the display name or the e-mail address.
///
/// A new address needs a recent sign-in. It takes effect when its confirmation link is used.
#[utoipa::path(patch, path = "/auth/me", tag = "Accounts", request_body = UpdateMe, responses(
    (status = 200, description = "The account after the change.", body = UpdatedMe),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<UpdateMe>,
) -> Result<Json<UpdatedMe>, Problem> {
    let display_name = body
        .display_name
        .map(|name| parse_optional(name, "/display_name", DisplayName::parse))
        .transpose()?;
    let email = body
        .email
        .map(|email| parse_optional(email, "/email", EmailAddress::parse))
        .transpose()?;
    let profile = auth
        .accounts()
        .change_profile(
            &caller,
            ProfileChange {
                display_name,
                email,
            },
            &origin,
        )
        .await?;
    let me = me::me_of(&profile.account, &caller);
    Ok(Json(UpdatedMe {
        me,
        email_to_confirm: profile.pending_email.map(|email| email.as_str().to_owned()),
    }))
}
