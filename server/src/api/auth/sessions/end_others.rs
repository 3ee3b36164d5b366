//! `POST /auth/sessions/end-others`

use auth::Interactive;
use axum::{Json, extract::State};
use wire::EndedSessions;

use crate::{error::Problem, state::Auth};

/// End all other sessions of the account.
#[utoipa::path(post, path = "/auth/sessions/end-others", tag = "Accounts",
    responses((status = 200, description = "The number of sessions that ended.", body = EndedSessions)))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
) -> Result<Json<EndedSessions>, Problem> {
    Ok(Json(EndedSessions {
        ended: auth.sessions().end_other_sessions(&caller).await?,
    }))
}
