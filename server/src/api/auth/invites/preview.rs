//! `POST /auth/invites/preview`

use auth::Anyone;
use axum::{Json, extract::State};
use wire::{InviteInfo, PreviewInvite};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::{Auth, Store},
};

/// Preview an invitation by its link.
///
/// The preview does not use the invitation.
#[utoipa::path(post, path = "/auth/invites/preview", tag = "Accounts", request_body = PreviewInvite, responses(
    (status = 200, description = "The invitation is valid.", body = InviteInfo),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    State(store): State<Store>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<PreviewInvite>,
) -> Result<Json<InviteInfo>, Problem> {
    let invite = auth
        .invitations()
        .preview_invitation(&body.invite, &origin)
        .await?;
    Ok(Json(super::wire_invite(&store, invite).await?))
}
