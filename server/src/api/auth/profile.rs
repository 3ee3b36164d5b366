//! `PATCH /auth/me`

use auth::{DisplayName, EmailAddress, Interactive, accounts::profile::ProfileChange};
use axum::{Json, extract::State};
use wire::{ChangeMe, ChangedMe, ProblemBody};

use super::{me, register::optional};
use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Change one's own name or e-mail address. Another address wants a recent sign-in, and counts once the link that is
/// sent there was followed.
#[utoipa::path(patch, path = "/auth/me", tag = "Accounts", request_body = ChangeMe, responses(
    (status = 200, description = "The account as it is now.", body = ChangedMe),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many addresses.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<ChangeMe>,
) -> Result<Json<ChangedMe>, Problem> {
    let display_name = body
        .display_name
        .map(|name| optional(name, "/display_name", DisplayName::parse))
        .transpose()?;
    let email = body
        .email
        .map(|email| optional(email, "/email", EmailAddress::parse))
        .transpose()?;
    let profile = auth
        .change_profile(
            &caller,
            ProfileChange {
                display_name,
                email,
            },
            &origin,
        )
        .await?;
    let me = me::of(&profile.account, &caller);
    Ok(Json(ChangedMe {
        me,
        email_to_confirm: profile.pending_email.map(|email| email.as_str().to_owned()),
    }))
}
