//! `POST /auth/invites/preview`

use auth::Anyone;
use axum::{Json, extract::State};
use wire::{InviteInfo, ProblemBody, ShownInvite};

use crate::{
    error::Problem,
    extract::{Body, From},
    state::{Auth, Store},
};

/// What an invitation offers to whoever has its link. Looking does not use it.
#[utoipa::path(post, path = "/auth/invites/preview", tag = "Accounts", request_body = ShownInvite, responses(
    (status = 200, description = "It is good.", body = InviteInfo),
    (status = 403, description = "It is not good, or not any more.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    State(store): State<Store>,
    From(origin): From,
    Body(body): Body<ShownInvite>,
) -> Result<Json<InviteInfo>, Problem> {
    let invite = auth.preview_invitation(&body.invite, &origin).await?;
    Ok(Json(super::info(&store, invite).await?))
}
