//! Links that make an e-mail address an account's. A link is a [`Slip`] of the kind `EmailLink`.

use jiff::Timestamp;

use super::{OneTimeToken, StoreResult, unsupported};
use crate::{Account, Actor, EmailAddress, SecurityEpoch, TokenHash, audit::NewAuditEntry};

/// A link that is followed, and what must still be as it was when it was made.
#[derive(Clone, Debug)]
pub struct EmailConfirmation {
    pub link: TokenHash,
    pub epoch: SecurityEpoch,
    pub previous: Option<EmailAddress>,
    pub email: EmailAddress,
    /// The account itself.
    pub by: Actor,
    pub at: Timestamp,
}

#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait EmailLinkStore: Clone + Send + Sync + 'static {
    /// Keeps the link in place of any older one of its account.
    fn insert_email_link(
        &self,
        one_time: OneTimeToken,
        entry: NewAuditEntry,
    ) -> impl Future<Output = StoreResult<()>> + Send {
        unsupported()
    }
    /// Takes the link and makes the address the account's, verified. `None`, and nothing has changed, where the link is
    /// gone or the account is not what it was: active, with the same address, in the same era.
    fn confirm_email(
        &self,
        confirmation: EmailConfirmation,
    ) -> impl Future<Output = StoreResult<Option<Account>>> + Send {
        unsupported()
    }
}
