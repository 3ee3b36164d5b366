//! `POST /api/users/{username}/end-sessions`

use auth::{Permitted, service::ManageAccounts};
use axum::{Json, extract::State};
use wire::Ended;

use crate::{error::Problem, extract, state::Auth};

/// Sign somebody out everywhere: every session, token and socket of theirs ends, personal tokens too.
#[utoipa::path(post, path = "/api/users/{username}/end-sessions", tag = "Users",
    params(("username" = String, Path)),
    responses((status = 200, description = "How many ended.", body = Ended)))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    extract::User(username): extract::User,
) -> Result<Json<Ended>, Problem> {
    Ok(Json(Ended {
        ended: auth.end_sessions_of(&permit, &username).await?,
    }))
}
