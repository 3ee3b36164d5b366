//! `POST /api/users/{username}/end-sessions`

use auth::{Permitted, actions::ManageAccounts};
use axum::{Json, extract::State};
use wire::EndedSessions;

use crate::{error::Problem, extract, state::Auth};

/// End all sessions of an account.
///
/// Its tokens, personal access tokens and event streams end too.
#[utoipa::path(post, path = "/api/users/{username}/end-sessions", tag = "Users",
    params(("username" = String, Path)),
    responses((status = 200, description = "The number of sessions that ended.", body = EndedSessions)))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    extract::UsernameParam(username): extract::UsernameParam,
) -> Result<Json<EndedSessions>, Problem> {
    Ok(Json(EndedSessions {
        ended: auth.admin().end_sessions_of(&permit, &username).await?,
    }))
}
