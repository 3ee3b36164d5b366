//! Links that confirm an e-mail address. A link is a one-time token of the kind `EmailLink`.

use jiff::Timestamp;

use super::{OneTimeToken, StoreResult, unsupported};
use crate::{Account, Actor, EmailAddress, SecurityEpoch, TokenHash, audit::NewAuditEntry};

/// The use of a link, with the state of the account that it requires.
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

#[expect(unused_variables, reason = "the default implementation stores nothing")]
pub trait EmailLinkStore: Clone + Send + Sync + 'static {
    /// Stores the link and replaces an older one of the account.
    fn insert_email_link(
        &self,
        one_time: OneTimeToken,
        entry: NewAuditEntry,
    ) -> impl Future<Output = StoreResult<()>> + Send {
        unsupported()
    }
    /// Consumes the link and sets the address as verified.
    ///
    /// `None`, with nothing changed, if the link is gone or the account differs: it must be active,
    /// with the same address and the same security epoch.
    fn confirm_email(
        &self,
        confirmation: EmailConfirmation,
    ) -> impl Future<Output = StoreResult<Option<Account>>> + Send {
        unsupported()
    }
}
