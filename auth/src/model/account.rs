//! Accounts without their passwords, so that they can be logged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::visible_text::{has_hidden, is_invisible};
use crate::{PasswordHash, Username};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    /// Whether a link sent to the address was used.
    pub email_verified: bool,
    pub status: AccountStatus,
    pub administrator: bool,
    pub created_at: Timestamp,
    /// No sign-in is possible (password, passkey or provider) until a reset link sets a new
    /// password.
    pub must_change_password: bool,
    pub epoch: SecurityEpoch,
}

/// The right over the whole installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Administrator;

/// Security epoch. Incremented whenever all (other) sessions of the account are revoked: on a
/// change of password or factors, and on disabling. Pending flows record it and fail if it has
/// changed: an e-mail change, an approved client, a pending sign-in. Stores compare it in the
/// transaction that completes the flow. Its value is the time in microseconds, but it increases
/// even if the clock does not. See `docs/decisions/0048-security-epoch.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecurityEpoch(i64);

impl SecurityEpoch {
    #[must_use]
    pub fn from_stored(number: i64) -> Self {
        Self(number)
    }

    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }

    /// The next epoch, starting at `now`.
    #[must_use]
    pub fn bump(self, now: Timestamp) -> Self {
        Self(now.as_microsecond().max(self.0.saturating_add(1)))
    }

    /// Whether the epoch began after `then` and not after `now`. The upper bound ignores epochs
    /// from before a clock was set back.
    pub(crate) fn changed_between(self, then: Timestamp, now: Timestamp) -> bool {
        then.as_microsecond() < self.0 && self.0 <= now.as_microsecond()
    }
}

impl Account {
    /// The display name, or else the username.
    #[must_use]
    pub fn display_label(&self) -> &str {
        self.display_name
            .as_ref()
            .map_or(self.username.as_str(), DisplayName::as_str)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    Active,
    /// Cannot sign in; all sessions and tokens are revoked. The username stays reserved.
    Disabled,
    /// As disabled, and absent from lists. Revisions still refer to it.
    Deleted,
}

/// The data of a new account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    pub email_verified: bool,
    pub password: PasswordHash,
    pub administrator: bool,
    pub created_at: Timestamp,
}

/// Changes by an administrator; `None` leaves a field unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    pub display_name: Option<Option<DisplayName>>,
    pub email: Option<Option<EmailAddress>>,
    pub status: Option<AccountStatus>,
    pub administrator: Option<bool>,
    /// Applies to the new address, or else to the current one.
    pub email_verified: Option<bool>,
    /// `Some(true)` ends all sessions.
    pub must_change_password: Option<bool>,
}

impl AccountChange {
    /// Whether the change can give a person access or administration rights: a new or verified
    /// address, an enabled account, an administrator, or a lifted password reset.
    #[must_use]
    pub fn grants_access(&self) -> bool {
        self.email.is_some()
            || self.email_verified == Some(true)
            || self.status == Some(AccountStatus::Active)
            || self.administrator == Some(true)
            || self.must_change_password == Some(false)
    }

    /// Whether the change revokes access or administration rights.
    #[must_use]
    pub fn revokes_access(&self) -> bool {
        self.status
            .is_some_and(|status| status != AccountStatus::Active)
            || self.administrator == Some(false)
            || self.must_change_password == Some(true)
    }
}

/// 1 to 100 characters of any script; not blank, without control and bidirectional-override
/// characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A display name must have 1 to 100 visible characters.")]
pub struct BadDisplayName;

impl DisplayName {
    pub fn parse(raw: &str) -> Result<Self, BadDisplayName> {
        let tidy = raw.trim();
        if tidy.is_empty() || tidy.chars().count() > 100 || has_hidden(tidy) {
            return Err(BadDisplayName);
        }
        Ok(Self(tidy.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A syntactically plausible e-mail address (RFC 5321 limits): one `@`, no spaces, controls or
/// angle brackets. It is safe in a git commit and a mail header. Never an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is not a valid e-mail address.")]
pub struct BadEmailAddress;

impl EmailAddress {
    pub fn parse(raw: &str) -> Result<Self, BadEmailAddress> {
        let tidy = raw.trim();
        let is_allowed = |c: char| {
            !c.is_control()
                && !is_invisible(c)
                && !c.is_whitespace()
                && !"<>()[]\\,;:\"".contains(c)
        };
        match tidy.split_once('@') {
            Some((local, host))
                if (1..=64).contains(&local.len())
                    && (1..=255).contains(&host.len())
                    && !host.contains('@')
                    && tidy.chars().all(is_allowed) =>
            {
                Ok(Self(tidy.to_owned()))
            }
            _ => Err(BadEmailAddress),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_name_and_address_hold_no_hidden_character() {
        for hidden in [
            '\u{3164}',
            '\u{115f}',
            '\u{ad}',
            '\u{61c}',
            '\u{e0041}',
            '\u{202e}',
        ] {
            let name = format!("Ada{hidden}Byron");
            assert_eq!(DisplayName::parse(&name), Err(BadDisplayName), "{hidden:?}");
            let address = format!("ada{hidden}@example.org");
            assert_eq!(
                EmailAddress::parse(&address),
                Err(BadEmailAddress),
                "{hidden:?}"
            );
        }
        for name in ["Ada Byron", "李雷", "👩\u{200d}💻 Ada"] {
            assert_eq!(DisplayName::parse(name).unwrap().as_str(), name);
        }
    }
}
