//! `POST /api/users/{username}/reset`

use auth::{Permitted, actions::OpenAccountAccess};
use axum::{Json, extract::State};
use secrecy::ExposeSecret as _;
use wire::ResetLink;

use crate::{error::Problem, extract::UsernameParam, state::Auth};

/// Create a password reset link for an account.
///
/// Pass the link on to the user. It works once, within 30 minutes. An earlier link becomes invalid.
/// A personal access token cannot do this.
#[utoipa::path(post, path = "/api/users/{username}/reset", tag = "Users", params(("username" = String, Path)), responses(
    (status = 200, description = "The link. It is not shown again.", body = ResetLink),
))]
pub async fn handle(
    Permitted(permit): Permitted<OpenAccountAccess>,
    State(auth): State<Auth>,
    UsernameParam(username): UsernameParam,
) -> Result<Json<ResetLink>, Problem> {
    let created = auth.passwords().reset_link(&permit, &username).await?;
    Ok(Json(ResetLink {
        link: created.link.expose_secret().to_owned(),
        expires_at: created.expires_at,
    }))
}
