//! `GET /admin/invites`

use auth::error::AccessError;
use auth::{AuthError, Interactive, Role};
use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{
    api::auth::invites::list, config::RegistrationMode, error::Problem, state::AppState,
    web::InvitesPage,
};

/// For administrators and managers.
pub(crate) async fn page(
    Interactive(caller): Interactive,
    State(state): State<AppState>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &caller, None).await?;
    let realms = state.auth.sessions().realms_of(&caller).await?.into_iter();
    let vaults: Vec<_> = realms
        .filter(|(_, role)| *role >= Role::Manager)
        .map(|(vault, _)| vault.name.to_string())
        .collect();
    if vaults.is_empty() && !caller.account().administrator {
        return Err(AuthError::Access(AccessError::NotAllowed {
            action: "members.manage",
        })
        .into());
    }
    let config = &state.site.config;
    let (open, sends_mail) = (
        config.registration != RegistrationMode::Closed,
        config.mail.is_some(),
    );
    let invites = list::list_all(&state.auth, &state.store, &caller).await?;
    send(
        StatusCode::OK,
        &InvitesPage {
            shell,
            invites,
            vaults,
            is_open: open,
            sends_mail,
        },
    )
}
