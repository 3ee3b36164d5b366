//! `PATCH /auth/passkeys/{id}`

use auth::RecentlyAuthenticated;
use axum::{Json, extract::State};
use wire::{PasskeyInfo, ProblemBody, RenamePasskey};

use super::{Id, info, named};
use crate::{error::Problem, extract::Body, state::Auth};

/// Call one of one's passkeys something else.
#[utoipa::path(patch, path = "/auth/passkeys/{id}", tag = "Accounts", request_body = RenamePasskey,
    params(("id" = String, Path, description = "As in the list.")),
    responses(
        (status = 200, description = "As it is called now.", body = PasskeyInfo),
        (status = 404, description = "None of one's passkeys.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    Id(id): Id,
    Body(body): Body<RenamePasskey>,
) -> Result<Json<PasskeyInfo>, Problem> {
    Ok(Json(info(
        auth.rename_passkey(&caller, &id, named(&body.name)?)
            .await?,
    )))
}
