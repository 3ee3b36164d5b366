//! One's own account.

use askama::Template;
use jiff::Timestamp;
use wire::{Me, SessionInfo};

use super::{MIN_PASSWORD, Shell, device, format};

/// `GET /account`. The handler supplies the answers of `GET /auth/me` and `GET /auth/sessions`.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    pub shell: Shell,
    pub me: Me,
    pub sessions: Vec<SessionInfo>,
}

impl AccountPage {
    pub fn least(&self) -> usize {
        MIN_PASSWORD
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }

    /// `Firefox on Linux`: enough to recognise one's own machine. The whole header is in the title.
    pub fn device(&self, session: &SessionInfo) -> String {
        let Some(agent) = session.user_agent.as_deref() else { return "Unknown program".to_owned() };
        device::known(agent).unwrap_or_else(|| agent.chars().take(60).collect())
    }
}
