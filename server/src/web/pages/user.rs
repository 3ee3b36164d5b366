//! `GET /admin/users/{username}`

use askama::Template;
use auth::{Caller, Permitted, actions::ReadAccounts};
use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use wire::User;

use crate::{
    api::users,
    error::Problem,
    extract,
    state::AppState,
    web::{
        Shell, format,
        pages::{send, shell},
    },
};

/// `GET /admin/users/{username}`. The handler supplies the answer of `GET /api/users/{username}`
/// and the names of all vaults.
#[derive(Debug, Template)]
#[template(path = "user.html")]
pub struct UserPage {
    pub shell: Shell,
    pub user: User,
    pub vaults: Vec<String>,
}

impl UserPage {
    /// The display name, or else the username.
    pub fn name(&self) -> &str {
        self.user
            .display_name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.user.username)
    }

    /// The activity page, filtered to this account as `actor` or `subject`.
    pub fn activity_url(&self, side: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(side, &self.user.username);
        format!("/admin/audit?{}", query.finish())
    }

    /// The direct role in a vault, or `none`.
    pub fn role(&self, vault: &str) -> &str {
        self.user.roles.get(vault).map_or("none", String::as_str)
    }

    pub fn has_role(&self, vault: &str, role: &str) -> bool {
        self.role(vault) == role
    }

    /// The effective role, if groups make it higher than the direct role.
    pub fn via_group(&self, vault: &str) -> Option<&str> {
        let effective = self.user.effective_roles.get(vault).map(String::as_str);
        effective.filter(|effective| *effective != self.role(vault))
    }

    pub fn choices(&self) -> [(&'static str, &'static str); 4] {
        [
            ("none", "No access"),
            ("viewer", "Viewer"),
            ("editor", "Editor"),
            ("manager", "Manager"),
        ]
    }

    pub fn factors(&self) -> String {
        crate::web::pages::users::factor_labels(&self.user.second_factors)
    }

    pub fn is_self(&self) -> bool {
        self.shell
            .viewer
            .as_ref()
            .is_some_and(|viewer| viewer.username == self.user.username)
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }
}

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadAccounts>,
    caller: Caller,
    State(state): State<AppState>,
    extract::UsernameParam(username): extract::UsernameParam,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &state.store, &caller, None).await?;
    let member = state.auth.admin().member(&permit, &username).await?;
    let user = users::wire_user(&state.store, member).await?;
    let vaults = shell.vaults.clone();
    send(
        StatusCode::OK,
        &UserPage {
            shell,
            user,
            vaults,
        },
    )
}
