//! Links that make an e-mail address an account's. A link is a [`Slip`] of the kind `EmailLink`.

use jiff::Timestamp;

use super::{Answer, Slip, absent};
use crate::{Account, Actor, EmailAddress, Era, TokenHash, audit::Record};

/// A link that is followed, and what must still be as it was when it was made.
#[derive(Clone, Debug)]
pub struct Confirmation {
    pub link: TokenHash,
    pub era: Era,
    pub before: Option<EmailAddress>,
    pub email: EmailAddress,
    /// The account itself.
    pub by: Actor,
    pub at: Timestamp,
}

#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait AddressStore: Clone + Send + Sync + 'static {
    /// Keeps the link in place of any older one of its account.
    fn keep_email_link(
        &self,
        slip: Slip,
        record: Record,
    ) -> impl Future<Output = Answer<()>> + Send {
        absent()
    }
    /// Takes the link and makes the address the account's, verified. `None`, and nothing has changed, where the link is
    /// gone or the account is not what it was: active, with the same address, in the same era.
    fn confirm_email(
        &self,
        confirmation: Confirmation,
    ) -> impl Future<Output = Answer<Option<Account>>> + Send {
        absent()
    }
}
