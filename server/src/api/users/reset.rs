//! `POST /api/users/{username}/reset`

use auth::{Permitted, service::OpenAccountAccess};
use axum::{Json, extract::State};
use secrecy::ExposeSecret as _;
use wire::{ProblemBody, ResetLink};

use crate::{error::Problem, extract::User, state::Auth};

/// Make a link that sets a new password, to hand over. It works once, for 30 minutes; an older one is void. Not with a personal access token.
#[utoipa::path(post, path = "/api/users/{username}/reset", tag = "Users", params(("username" = String, Path)), responses(
    (status = 200, description = "The link, shown once.", body = ResetLink),
    (status = 409, description = "The account is disabled, or one's own.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    Permitted(permit): Permitted<OpenAccountAccess>,
    State(auth): State<Auth>,
    User(username): User,
) -> Result<Json<ResetLink>, Problem> {
    let made = auth.reset_link(&permit, &username).await?;
    Ok(Json(ResetLink {
        link: made.link.expose_secret().to_owned(),
        expires_at: made.expires_at,
    }))
}
