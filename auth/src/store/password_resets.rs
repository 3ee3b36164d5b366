//! Links that set a new password. A link is a [`Slip`] of the kind `Reset` whose body is its [`Terms`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{OneTimeToken, StoreResult, unsupported};
use crate::{
    Account, AccountStatus, Actor, EmailAddress, PasswordHash, TokenHash, Username,
    audit::NewAuditEntry,
};

/// On what a link depends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetConditions {
    /// The address that its account had when it was made, or nothing.
    email: String,
    /// The administrator who hands it over, and their [era](crate::Era). `None` where it went by mail to its owner, or was
    /// made at the console.
    #[serde(rename = "maker")]
    creator: Option<(String, i64)>,
}

impl ResetConditions {
    #[must_use]
    pub fn of(account: &Account, creator: Option<&Account>) -> Self {
        Self {
            email: address(account).to_owned(),
            creator: creator
                .map(|creator| (creator.username.as_str().to_owned(), creator.epoch.number())),
        }
    }

    /// `None` for a link that was made by a version before this one.
    #[must_use]
    pub fn parse(one_time: &OneTimeToken) -> Option<Self> {
        serde_json::from_str(&one_time.body).ok()
    }

    #[must_use]
    pub fn creator(&self) -> Option<Username> {
        self.creator
            .as_ref()
            .and_then(|(name, _)| Username::parse(name).ok())
    }

    /// Whether the link is still good: with another address it is dead, and so it is where its maker could make none
    /// any more or has thrown everything out since.
    #[must_use]
    pub fn still_hold(&self, account: &Account, creator: Option<&Account>) -> bool {
        let may_create = |creator: &Account, epoch: i64| {
            creator.status == AccountStatus::Active
                && creator.administrator
                && creator.epoch.number() == epoch
        };
        let has_valid_creator = self
            .creator
            .as_ref()
            .is_none_or(|(_, epoch)| creator.is_some_and(|creator| may_create(creator, *epoch)));
        has_valid_creator
            && account.status == AccountStatus::Active
            && address(account) == self.email
    }
}

fn address(account: &Account) -> &str {
    account.email.as_ref().map_or("", EmailAddress::as_str)
}

/// A new password, by link.
#[derive(Clone, Debug)]
pub struct PasswordReset {
    pub link: TokenHash,
    pub password: PasswordHash,
    pub by: Actor,
    pub at: Timestamp,
}

/// A link also dies when the password is changed, when the e-mail address is, and when its account is disabled: the
/// store sees to that wherever it does these things.
#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait ResetStore: Clone + Send + Sync + 'static {
    /// Active accounts with this address, whatever capitals it is written in; at most 5: those that have confirmed it
    /// first, then the oldest.
    fn accounts_by_email(
        &self,
        email: &EmailAddress,
    ) -> impl Future<Output = StoreResult<Vec<Account>>> + Send {
        unsupported()
    }
    /// Keeps the link in place of any older one of its account. False, and nothing has changed, where one is alive that
    /// was made after `unless_since`: of any number of parallel calls one gets `true`.
    fn insert_reset(
        &self,
        one_time: OneTimeToken,
        entry: NewAuditEntry,
        unless_since: Option<Timestamp>,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Takes the link, replaces the password, lifts the need of a reset, begins a new [era](crate::Era) and ends every
    /// session, personal access tokens among them. `None`, and nothing has changed, where the link is gone or its account is not what it was.
    fn reset_password(
        &self,
        reset: PasswordReset,
    ) -> impl Future<Output = StoreResult<Option<Account>>> + Send {
        unsupported()
    }
}
