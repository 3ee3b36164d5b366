//! `strongroom user end-sessions`: signs out one account, or all of them.

use auth::{
    Username, accounts::administration::OwnSession, factor::AuditReason, store::PersonalTokenPolicy,
};
use server::state::Auth;

use crate::{args::EndSessions, console::operator_permit, output::count};

pub(super) async fn end_sessions(auth: &Auth, arguments: EndSessions) -> anyhow::Result<()> {
    if let Some(name) = arguments.name {
        return end_sessions_of(auth, &name).await;
    }
    let reason = AuditReason::parse(&arguments.reason.unwrap_or_default())?;
    let tokens = arguments.tokens.then_some(PersonalTokenPolicy::End);
    end_all_sessions(auth, tokens, reason).await
}

async fn end_sessions_of(auth: &Auth, name: &str) -> anyhow::Result<()> {
    let ended = auth
        .admin()
        .end_sessions_of(&operator_permit(), &Username::parse(name)?)
        .await?;
    out!(
        "{name} is signed out everywhere ({}).",
        count(ended, "session", "sessions")
    );
    Ok(())
}

/// Personal access tokens stay unless `tokens` says otherwise.
async fn end_all_sessions(
    auth: &Auth,
    tokens: Option<PersonalTokenPolicy>,
    reason: AuditReason,
) -> anyhow::Result<()> {
    let tokens = tokens.unwrap_or(PersonalTokenPolicy::Keep);
    let ended = auth
        .admin()
        .end_all_sessions(&operator_permit(), OwnSession::End, tokens, reason)
        .await?;
    out!(
        "All accounts are signed out ({}).",
        count(ended, "session", "sessions")
    );
    Ok(())
}
