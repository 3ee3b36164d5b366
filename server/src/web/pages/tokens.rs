//! `GET /account/tokens`

use askama::Template;
use auth::{Interactive, mail::token_expiry::REMIND_BEFORE};
use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use wire::PersonalToken;

use crate::{
    api::auth::tokens::list,
    error::Problem,
    state::{Auth, Store},
    web::{
        Shell, format,
        pages::{send, shell},
    },
};

/// `GET /account/tokens`. The handler supplies the answer of `GET /auth/tokens`.
#[derive(Debug, Template)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    pub shell: Shell,
    pub tokens: Vec<PersonalToken>,
    pub now: Timestamp,
}

impl TokensPage {
    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }

    /// A description of each scope, and whether it is preselected.
    pub fn scopes(&self) -> [(&'static str, &'static str, bool); 4] {
        [
            (
                "files:read",
                "List and download files, and see history and events.",
                true,
            ),
            (
                "files:write",
                "Check out, check in, add, describe, move and restore files; delete files if your \
                 role allows it.",
                false,
            ),
            (
                "locks:override",
                "Override locks of other users if your role allows it.",
                false,
            ),
            (
                "admin",
                "Manage accounts, members and vaults within your own rights.",
                false,
            ),
        ]
    }

    /// The choices of a lifetime in days, and which one is preselected.
    pub fn lifetimes(&self) -> [(u32, &'static str, bool); 5] {
        [
            (7, "7 days", false),
            (30, "30 days", false),
            (90, "90 days", true),
            (180, "180 days", false),
            (365, "one year", false),
        ]
    }

    /// Whether the token expires soon enough for a reminder.
    pub fn ends_soon(&self, token: &PersonalToken) -> bool {
        token.expires_at.duration_since(self.now)
            < SignedDuration::try_from(REMIND_BEFORE).unwrap_or_default()
    }

    pub fn scope(&self, token: &PersonalToken) -> String {
        token.scopes.join(", ")
    }

    pub fn vaults(&self, token: &PersonalToken) -> String {
        match token.vaults.as_deref() {
            None => "all your vaults".to_owned(),
            Some([]) => "no vaults".to_owned(),
            Some(names) => names.join(", "),
        }
    }
}

pub(crate) async fn page(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(store): State<Store>,
) -> Result<Response, Problem> {
    let (shell, now) = (shell(&auth, &store, &caller, None).await?, auth.now());
    let tokens = list::list_all(&auth, &caller).await?;
    send(StatusCode::OK, &TokensPage { shell, tokens, now })
}
