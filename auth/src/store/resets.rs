//! Links that set a new password. A link is a [`Slip`] of the kind `Reset` whose body is the e-mail address that its
//! account had when it was made, or nothing: with another address it is dead.

use jiff::Timestamp;

use super::{Answer, Slip, absent};
use crate::{Account, Actor, EmailAddress, PasswordHash, TokenHash, audit::Record};

/// A new password, by link.
#[derive(Clone, Debug)]
pub struct Reset {
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
    fn accounts_by_email(&self, email: &EmailAddress) -> impl Future<Output = Answer<Vec<Account>>> + Send {
        absent()
    }
    /// Keeps the link in place of any older one of its account. False, and nothing has changed, where one is alive that
    /// was made after `unless_since`: of any number of parallel calls one gets `true`.
    fn keep_reset(
        &self,
        slip: Slip,
        record: Record,
        unless_since: Option<Timestamp>,
    ) -> impl Future<Output = Answer<bool>> + Send {
        absent()
    }
    /// Takes the link, replaces the password, lifts the need of a reset, begins a new [era](crate::Era) and ends every
    /// session, personal access tokens among them. `None`, and nothing has changed, where the link is gone or its account is not what it was.
    fn reset_password(&self, reset: Reset) -> impl Future<Output = Answer<Option<Account>>> + Send {
        absent()
    }
}
