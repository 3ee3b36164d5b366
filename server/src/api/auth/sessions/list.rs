//! `GET /auth/sessions`

use std::cmp::Reverse;

use auth::{Caller, Interactive, Session, SessionKind, session::model::Persistence};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::SessionInfo;

use crate::{
    api::paging::{self, PageQuery},
    error::Problem,
    extract::Query,
    state::Auth,
};

/// List the sessions of the account, most recently active first.
#[utoipa::path(get, path = "/auth/sessions", tag = "Accounts", params(PageQuery),
    responses((status = 200, description = "A page of live sessions.", body = [SessionInfo])))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<(HeaderMap, Json<Vec<SessionInfo>>), Problem> {
    let sessions = list_all(&auth, &caller).await?;
    paging::page(&uri, &page, sessions, |session| {
        (Reverse(session.last_seen_at), session.id.clone())
    })
}

pub(crate) async fn list_all(auth: &Auth, caller: &Caller) -> Result<Vec<SessionInfo>, Problem> {
    let sessions = auth.sessions().sessions(caller).await?;
    Ok(sessions
        .into_iter()
        .map(|session| wire_session(session, caller))
        .collect())
}

pub(crate) fn wire_session(session: Session, caller: &Caller) -> SessionInfo {
    SessionInfo {
        current: session.id == caller.session().id,
        id: session.id.to_string(),
        kind: session.kind.as_str().to_owned(),
        signed_in_at: session.started_at,
        stays_signed_in: session.kind == SessionKind::Web
            && session.persistence == Persistence::Persistent,
        last_seen_at: session.last_seen,
        expires_at: session.expires_at,
        address: session.origin.address.to_string(),
        user_agent: session.origin.user_agent,
        methods: session
            .methods
            .iter()
            .map(|method| method.as_str().to_owned())
            .collect(),
        label: session.label,
    }
}
