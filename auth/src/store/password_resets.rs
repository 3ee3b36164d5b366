//! Links that set a new password. A link is a one-time token of the kind `Reset` whose body is its
//! [`ResetConditions`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{OneTimeToken, StoreResult, unsupported};
use crate::{
    Account, AccountStatus, Actor, EmailAddress, PasswordHash, TokenHash, Username,
    audit::NewAuditEntry,
};

/// The conditions under which a link is valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetConditions {
    /// The account's address when the link was created; empty without one.
    email: String,
    /// The administrator who created the link, with their [security epoch](crate::SecurityEpoch).
    /// `None` if it was mailed to the owner, or created at the console.
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

    /// `None` for a link of an older version.
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

    /// Whether the link is still valid. It is not if the address has changed, or if its creator has
    /// lost the right to create one or has revoked all their sessions.
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

/// A new password, set through a link.
#[derive(Clone, Debug)]
pub struct PasswordReset {
    pub link: TokenHash,
    pub password: PasswordHash,
    pub by: Actor,
    pub at: Timestamp,
}

/// A change of the password or the e-mail address, or disabling the account, also deletes the link.
/// The store does this in the transaction of each of these changes.
#[expect(unused_variables, reason = "the default implementation stores nothing")]
pub trait ResetStore: Clone + Send + Sync + 'static {
    /// Active accounts with this address in any case, at most 5: verified ones first, then the
    /// oldest.
    fn accounts_by_email(
        &self,
        email: &EmailAddress,
    ) -> impl Future<Output = StoreResult<Vec<Account>>> + Send {
        unsupported()
    }
    /// Stores the link and replaces an older one of the account. False, with nothing changed, if a
    /// live one was created after `unless_since`. Of any number of parallel calls, one returns
    /// true.
    fn insert_reset(
        &self,
        one_time: OneTimeToken,
        entry: NewAuditEntry,
        unless_since: Option<Timestamp>,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Consumes the link, replaces the password, clears a required reset, increments the [security
    /// epoch](crate::SecurityEpoch) and ends every session, including personal access tokens.
    ///
    /// `None`, with nothing changed, if the link is gone or its conditions no longer hold.
    fn reset_password(
        &self,
        reset: PasswordReset,
    ) -> impl Future<Output = StoreResult<Option<Account>>> + Send {
        unsupported()
    }
}
