//! `GET /admin/groups`

use askama::Template;
use auth::{Caller, Permitted, actions::ReadAccounts};
use axum::{extract::State, response::Response};
use http::StatusCode;
use wire::GroupInfo;

use crate::{
    api::groups,
    error::Problem,
    state::AppState,
    web::{
        Shell, format,
        pages::{send, shell},
    },
};

/// `GET /admin/groups`. The handler supplies the answer of `GET /api/groups` and the names of all
/// vaults.
#[derive(Debug, Template)]
#[template(path = "groups.html")]
pub struct GroupsPage {
    pub shell: Shell,
    pub groups: Vec<GroupInfo>,
    pub vaults: Vec<String>,
}

impl GroupsPage {
    /// The role in a vault, or `none`.
    pub fn role<'a>(&self, group: &'a GroupInfo, vault: &str) -> &'a str {
        group.roles.get(vault).map_or("none", String::as_str)
    }

    pub fn has_role(&self, group: &GroupInfo, vault: &str, role: &str) -> bool {
        self.role(group, vault) == role
    }

    pub fn choices(&self) -> [(&'static str, &'static str); 4] {
        [
            ("none", "No access"),
            ("viewer", "Viewer"),
            ("editor", "Editor"),
            ("manager", "Manager"),
        ]
    }

    pub fn user_url(&self, username: &str) -> String {
        format!("/admin/users/{}", format::segment(username))
    }
}

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadAccounts>,
    caller: Caller,
    State(state): State<AppState>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &state.store, &caller, None).await?;
    let groups =
        groups::wire_groups(&state.store, state.auth.admin().groups(&permit).await?).await?;
    let vaults = shell.vaults.clone();
    send(
        StatusCode::OK,
        &GroupsPage {
            shell,
            groups,
            vaults,
        },
    )
}
