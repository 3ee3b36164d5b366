//! An account as the rest of the program sees it: no password in it, so it may be printed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{PasswordHash, Username};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    /// Whether whoever reads its mail has shown it: a link that went there by mail was followed.
    pub email_verified: bool,
    pub status: AccountStatus,
    pub administrator: bool,
    pub created_at: Timestamp,
    /// Nobody comes in, neither by the password nor by a passkey or a provider, until a link has set a new one.
    pub must_change_password: bool,
    pub epoch: SecurityEpoch,
}

/// Begins anew whenever everything of an account is thrown out: when its password or its factors change, when all its
/// sessions (or all others) are ended, when it is disabled. What was begun under an older one is void, whatever it is:
/// a link to another address, a program let in, a sign-in that waits. Stores compare it in the transaction that
/// completes the thing. It grows like a clock, and grows even where the clock doesn't.
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

    /// The one that begins at `now`.
    #[must_use]
    pub fn bump(self, now: Timestamp) -> Self {
        Self(now.as_microsecond().max(self.0.saturating_add(1)))
    }

    /// Whether it began between the two. Not in the future: a clock that was put back makes nothing void.
    pub(crate) fn changed_between(self, then: Timestamp, now: Timestamp) -> bool {
        then.as_microsecond() < self.0 && self.0 <= now.as_microsecond()
    }
}

impl Account {
    /// Display name, or username.
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
    /// Cannot sign in; everything it held is dead. Its name stays taken.
    Disabled,
    /// As disabled, and gone from lists: revisions still name it.
    Deleted,
}

/// An account about to be made.
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

/// What an administrator changes; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    pub display_name: Option<Option<DisplayName>>,
    pub email: Option<Option<EmailAddress>>,
    pub status: Option<AccountStatus>,
    pub administrator: Option<bool>,
    /// With the address, or of the present one.
    pub email_verified: Option<bool>,
    /// Requiring it ends every session.
    pub must_change_password: Option<bool>,
}

impl AccountChange {
    /// Whether it gives somebody a way in or the right to administer: the address that links go to, an account or a
    /// password that opens again, an administrator more.
    #[must_use]
    pub fn grants_access(&self) -> bool {
        self.email.is_some()
            || self.email_verified == Some(true)
            || self.status == Some(AccountStatus::Active)
            || self.administrator == Some(true)
            || self.must_change_password == Some(false)
    }

    /// Whether it keeps somebody out, or takes the right to administer away.
    #[must_use]
    pub fn revokes_access(&self) -> bool {
        self.status
            .is_some_and(|status| status != AccountStatus::Active)
            || self.administrator == Some(false)
            || self.must_change_password == Some(true)
    }
}

/// 1 to 100 characters of any script, no control or bidirectional-override characters, not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A display name must have 1 to 100 visible characters.")]
pub struct BadDisplayName;

impl DisplayName {
    pub fn parse(raw: &str) -> Result<Self, BadDisplayName> {
        let tidy = raw.trim();
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        if tidy.is_empty() || tidy.chars().count() > 100 || tidy.contains(hidden) {
            return Err(BadDisplayName);
        }
        Ok(Self(tidy.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Something that could be an e-mail address (RFC 5321 limits): one `@`, no spaces, controls or angle brackets,
/// so it can go into a git commit and a mail header as it is. Never an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is not a valid e-mail address.")]
pub struct BadEmailAddress;

impl EmailAddress {
    pub fn parse(raw: &str) -> Result<Self, BadEmailAddress> {
        let tidy = raw.trim();
        let is_allowed =
            |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[]\\,;:\"".contains(c);
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
