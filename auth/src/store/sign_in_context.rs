//! The context of a sign-in: source, absence and failed attempts, for the owner's notices.

use std::time::Duration;

use crate::audit::AuditDetail;

/// Whether the account has signed in from this source before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceFamiliarity {
    /// The first sign-in of the account, or a known client and network.
    #[default]
    Known,
    /// An unknown client or network.
    New,
}

/// The sign-ins and failures before this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignInContext {
    pub source: SourceFamiliarity,
    /// Time since the account's last sign-in from any source; zero for the first one.
    pub since_last: Duration,
    /// Failed attempts since then. Old ones are purged.
    pub failed_attempts: u32,
}

impl SignInContext {
    /// After this absence, the owner is notified of a sign-in.
    pub const LONG_ABSENCE: Duration = Duration::from_hours(90 * 24);
    /// More failures than mistyping explains.
    pub const MANY_FAILURES: u32 = 5;

    #[must_use]
    pub fn is_after_long_absence(&self) -> bool {
        self.since_last >= Self::LONG_ABSENCE
    }

    #[must_use]
    pub fn is_after_many_failures(&self) -> bool {
        self.failed_attempts >= Self::MANY_FAILURES
    }

    /// Adds `new_device`, `days_away` and `refused_before` to the audit entry, where they are
    /// notable.
    #[must_use]
    pub fn into_detail(&self, detail: AuditDetail) -> AuditDetail {
        let is_new = (self.source == SourceFamiliarity::New).then_some(true);
        let days = self
            .is_after_long_absence()
            .then_some(self.since_last.as_secs() / (24 * 60 * 60));
        let failed_attempts = self
            .is_after_many_failures()
            .then_some(self.failed_attempts);
        detail
            .with("new_device", is_new)
            .with("days_away", days)
            .with("refused_before", failed_attempts)
    }
}
