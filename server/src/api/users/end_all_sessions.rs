//! `POST /api/sessions/end-all`

use auth::{
    Permitted, accounts::administration::OwnSession, actions::ManageAccounts, factor::AuditReason,
    store::PersonalTokenPolicy,
};
use axum::{Json, extract::State};
use wire::{EndAllSessions, EndedSessions};

use crate::{error::Problem, extract::JsonBody, state::Auth};

/// End all sessions of all accounts.
///
/// They end within one second. Accounts and passwords stay unchanged.
#[utoipa::path(post, path = "/api/sessions/end-all", tag = "Users", request_body = EndAllSessions,
    responses(
        (status = 200, description = "The number of sessions that ended.", body = EndedSessions),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    JsonBody(body): JsonBody<EndAllSessions>,
) -> Result<Json<EndedSessions>, Problem> {
    let own = if body.keep_own {
        OwnSession::Keep
    } else {
        OwnSession::End
    };
    let tokens = if body.end_tokens {
        PersonalTokenPolicy::End
    } else {
        PersonalTokenPolicy::Keep
    };
    Ok(Json(EndedSessions {
        ended: auth
            .admin()
            .end_all_sessions(&permit, own, tokens, AuditReason::parse(&body.reason)?)
            .await?,
    }))
}
