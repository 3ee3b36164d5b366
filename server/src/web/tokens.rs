//! One's own personal access tokens.

use askama::Template;
use auth::reminding::BEFORE;
use jiff::{SignedDuration, Timestamp};
use wire::PersonalToken;

use super::{Shell, format};

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

    /// What each scope lets a token do, in words, and whether one mostly wants it.
    pub fn scopes(&self) -> [(&'static str, &'static str, bool); 4] {
        [
            (
                "files:read",
                "See names, history and events, and download.",
                true,
            ),
            (
                "files:write",
                "Check out and in, add, describe, move, restore; delete where you may.",
                false,
            ),
            (
                "locks:override",
                "Break locks of others, where you may.",
                false,
            ),
            (
                "admin",
                "What you may do as a manager or administrator: accounts, members, vaults.",
                false,
            ),
        ]
    }

    /// Choices of days, and which one is chosen.
    pub fn lifetimes(&self) -> [(u32, &'static str, bool); 5] {
        [
            (7, "7 days", false),
            (30, "30 days", false),
            (90, "90 days", true),
            (180, "180 days", false),
            (365, "one year", false),
        ]
    }

    /// Whether it ends so soon that its owner should think of it.
    pub fn ends_soon(&self, token: &PersonalToken) -> bool {
        token.expires_at.duration_since(self.now)
            < SignedDuration::try_from(BEFORE).unwrap_or_default()
    }

    pub fn scope(&self, token: &PersonalToken) -> String {
        token.scopes.join(", ")
    }

    pub fn vaults(&self, token: &PersonalToken) -> String {
        match token.vaults.as_deref() {
            None => "all your vaults".to_owned(),
            Some([]) => "no vault any more".to_owned(),
            Some(names) => names.join(", "),
        }
    }
}
