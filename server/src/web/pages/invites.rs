//! `GET /admin/invites`

use askama::Template;
use auth::{AuthError, Caller, Interactive, Role, actions::ReadAccounts, error::AccessError};
use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use wire::InviteInfo;

use crate::{
    api::auth::invites::list,
    config::RegistrationMode,
    error::Problem,
    state::AppState,
    web::{
        Shell, format,
        pages::{send, shell},
    },
};

/// `GET /admin/invites`, for administrators and managers of vaults. The handler supplies the answer
/// of `GET /auth/invites` and the vaults that the viewer can invite to.
#[derive(Debug, Template)]
#[template(path = "invites.html")]
pub struct InvitesPage {
    pub shell: Shell,
    pub invites: Vec<InviteInfo>,
    pub vaults: Vec<String>,
    /// The groups that the viewer can invite to.
    pub groups: Vec<String>,
    /// Whether invitations can be used.
    pub is_open: bool,
    /// Whether the installation sends e-mail.
    pub sends_mail: bool,
}

impl InvitesPage {
    pub fn recipient<'a>(&self, invite: &'a InviteInfo) -> &'a str {
        invite.email.as_deref().unwrap_or("Anyone with the link")
    }

    pub fn choices(&self) -> [(&'static str, &'static str); 4] {
        [
            ("none", "No access"),
            ("viewer", "Viewer"),
            ("editor", "Editor"),
            ("manager", "Manager"),
        ]
    }

    /// Most invited users work on files in the main or only vault.
    pub fn is_first_choice(&self, vault: &str, value: &str) -> bool {
        let only = self.vaults.len() == 1 || vault == "main";
        value == if only { "editor" } else { "none" }
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }
}

/// For administrators and managers.
pub(crate) async fn page(
    Interactive(caller): Interactive,
    State(state): State<AppState>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &state.store, &caller, None).await?;
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
    let groups = groups_for(&state, &caller).await?;
    let invites = list::list_all(&state.auth, &state.store, &caller).await?;
    send(
        StatusCode::OK,
        &InvitesPage {
            shell,
            invites,
            vaults,
            groups,
            is_open: open,
            sends_mail,
        },
    )
}

/// All groups for an administrator, none for others.
async fn groups_for(state: &AppState, caller: &Caller) -> Result<Vec<String>, Problem> {
    let Ok(permit) = caller.permit::<ReadAccounts>(None) else {
        return Ok(Vec::new());
    };
    let groups = state.auth.admin().groups(&permit).await?;
    Ok(groups.iter().map(|group| group.name.to_string()).collect())
}
