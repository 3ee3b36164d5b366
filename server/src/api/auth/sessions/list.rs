//! `GET /auth/sessions`

use auth::{Caller, InPerson, Session};
use axum::{Json, extract::State};
use wire::SessionInfo;

use crate::{error::Problem, state::Auth};

/// Where one is signed in, newest sign of life first.
#[utoipa::path(get, path = "/auth/sessions", tag = "Accounts",
    responses((status = 200, description = "One's live sessions.", body = [SessionInfo])))]
pub async fn handle(InPerson(caller): InPerson, State(auth): State<Auth>) -> Result<Json<Vec<SessionInfo>>, Problem> {
    let sessions = auth.sessions(&caller).await?;
    Ok(Json(sessions.into_iter().map(|session| info(session, &caller)).collect()))
}

pub(crate) fn info(session: Session, caller: &Caller) -> SessionInfo {
    SessionInfo {
        current: session.id == caller.session().id,
        id: session.id.to_string(),
        kind: session.kind.as_str().to_owned(),
        signed_in_at: session.auth_time,
        last_seen_at: session.last_seen,
        expires_at: session.expires_at,
        address: session.origin.address.to_string(),
        user_agent: session.origin.user_agent,
        methods: session.methods.iter().map(|method| method.as_str().to_owned()).collect(),
        label: session.label,
    }
}
