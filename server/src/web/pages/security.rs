//! `GET /account/security`

use auth::{Interactive, audit::Chain};
use axum::{
    extract::{OriginalUri, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;

use super::{audit::next_link, send, shell};
use crate::{
    api::{
        audit::{self, AuditListQuery},
        auth::sessions,
    },
    error::Problem,
    extract::Query,
    state::AppState,
    web::{ActivityEntry, SecurityPage},
};

/// Which page.
#[derive(Debug, Deserialize)]
pub(crate) struct SecurityQuery {
    after: Option<i64>,
}

pub(crate) async fn page(
    Interactive(caller): Interactive,
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    Query(params): Query<SecurityQuery>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &state.store, &caller, None).await?;
    let (query, limit) = AuditListQuery::from_form([""; 3], None, None, params.after)
        .to_audit_query(Chain::Accounts)?;
    let (headers, entries) = audit::page(
        &uri,
        state.auth.accounts().own_audit(&caller, query).await?,
        limit,
    );
    let entries = audit::wire_entries(&state.store, entries).await?;
    let viewer = caller.account().username.to_string();
    let activity = ActivityEntry::describe_all(entries, &viewer);
    let sessions = sessions::list::list_all(&state.auth, &caller).await?;
    send(
        StatusCode::OK,
        &SecurityPage {
            shell,
            activity,
            sessions,
            next: next_link(&headers),
        },
    )
}
