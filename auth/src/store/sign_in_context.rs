//! How a sign-in stands to those before it: what its owner should hear of.

use std::time::Duration;

use crate::audit::AuditDetail;

/// Where a session began, as far as its account has been seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceFamiliarity {
    /// The account's first sign-in, or a program and network it was seen with before.
    #[default]
    Known,
    /// A program or a network that the account was never seen with.
    New,
}

/// What a sign-in comes after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignInContext {
    pub source: SourceFamiliarity,
    /// Since the account's last sign-in, from wherever; zero where it is the first.
    pub since_last: Duration,
    /// Refused tries since then; not counted for ever.
    pub failed_attempts: u32,
}

impl SignInContext {
    /// Whoever comes back after so long may not be who left.
    pub const LONG_ABSENCE: Duration = Duration::from_hours(90 * 24);
    /// More than somebody who mistypes.
    pub const MANY_FAILURES: u32 = 5;

    #[must_use]
    pub fn is_after_long_absence(&self) -> bool {
        self.since_last >= Self::LONG_ABSENCE
    }

    #[must_use]
    pub fn is_after_many_failures(&self) -> bool {
        self.failed_attempts >= Self::MANY_FAILURES
    }

    /// For the entry of the sign-in: `new_device`, `days_away`, `refused_before`, where they are worth a look.
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
