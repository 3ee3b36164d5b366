//! How a sign-in stands to those before it: what its owner should hear of.

use std::time::Duration;

use crate::audit::Detail;

/// Where a session began, as far as its account has been seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Familiarity {
    /// The account's first sign-in, or a program and network it was seen with before.
    #[default]
    Known,
    /// A program or a network that the account was never seen with.
    New,
}

/// What a sign-in comes after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    pub place: Familiarity,
    /// Since the account's last sign-in, from wherever; zero where it is the first.
    pub away: Duration,
    /// Refused tries since then; not counted for ever.
    pub refused: u32,
}

impl Arrival {
    /// Whoever comes back after so long may not be who left.
    pub const LONG: Duration = Duration::from_hours(90 * 24);
    /// More than somebody who mistypes.
    pub const MANY: u32 = 5;

    #[must_use]
    pub fn is_after_long(&self) -> bool {
        self.away >= Self::LONG
    }

    #[must_use]
    pub fn is_after_many_refusals(&self) -> bool {
        self.refused >= Self::MANY
    }

    /// For the entry of the sign-in: `new_device`, `days_away`, `refused_before`, where they are worth a look.
    #[must_use]
    pub fn told(&self, detail: Detail) -> Detail {
        let is_new = (self.place == Familiarity::New).then_some(true);
        let days = self
            .is_after_long()
            .then_some(self.away.as_secs() / (24 * 60 * 60));
        let refused = self.is_after_many_refusals().then_some(self.refused);
        detail
            .fact("new_device", is_new)
            .fact("days_away", days)
            .fact("refused_before", refused)
    }
}
