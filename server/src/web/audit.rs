//! Activity pages: the full audit log for administrators and managers, and the own activity of each
//! user.

use askama::Template;
use jiff::Timestamp;
use wire::SessionInfo;

use super::{Shell, format, happening::ActivityEntry};

/// `GET /admin/audit`, and `GET /v/{vault}/audit` for the vault's managers. The handler supplies a
/// page of `GET /api/audit` or `GET /api/vaults/{vault}/audit` under the same filters, and the
/// address of the next.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// Names a vault on the activity page of that vault.
    pub shell: Shell,
    /// The target of the filter form.
    pub url: String,
    pub vault: String,
    pub actor: String,
    pub subject: String,
    pub action: String,
    pub address: String,
    pub since: String,
    pub until: String,
    pub activity: Vec<ActivityEntry>,
    pub next: Option<String>,
}

impl AuditPage {
    /// The vault, on the activity page of a vault.
    pub fn of_vault(&self) -> Option<&str> {
        self.shell.vault.as_deref()
    }

    /// All actions of the chosen log: of accounts or of files.
    pub fn actions(&self) -> Vec<&'static str> {
        const OF_FILES: [&str; 9] = [
            "file.add",
            "file.cancel",
            "file.checkin",
            "file.checkout",
            "file.delete",
            "file.describe",
            "file.move",
            "file.override",
            "file.restore",
        ];
        if self.vault.is_empty() && self.of_vault().is_none() {
            auth::audit::AuditAction::ALL
                .iter()
                .map(|deed| deed.as_str())
                .collect()
        } else {
            OF_FILES.to_vec()
        }
    }

    pub fn is_vault(&self, name: &str) -> bool {
        self.vault == name
    }
}

/// `GET /account/security`. The handler supplies a page of `GET /auth/audit`, and how many sessions
/// are live.
#[derive(Debug, Template)]
#[template(path = "security.html")]
pub struct SecurityPage {
    pub shell: Shell,
    pub activity: Vec<ActivityEntry>,
    pub sessions: Vec<SessionInfo>,
    pub next: Option<String>,
}

impl SecurityPage {
    /// The number of alerts on this page.
    pub fn alert_count(&self) -> usize {
        self.activity
            .iter()
            .filter(|entry| entry.badge.is_some_and(|badge| badge.is_alert))
            .count()
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }

    pub fn current(&self) -> Option<&SessionInfo> {
        self.sessions.iter().find(|session| session.current)
    }
}
