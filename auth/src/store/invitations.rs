//! Invitations are [one-time tokens](super::OneTimeToken); this trait holds their acceptance.

use jiff::Timestamp;

use super::{StoreResult, unsupported};
use crate::{Actor, NewAccount, RealmId, Role, TokenHash, accounts::invitation::Invitation};

/// The acceptance of an invitation.
#[derive(Clone, Debug)]
pub struct AcceptInvitation {
    pub hash: TokenHash,
    pub invitation: Invitation,
    pub new: NewAccount,
    pub roles: Vec<(RealmId, Role)>,
    /// The new account itself.
    pub by: Actor,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptInvitationResult {
    Accepted,
    /// The name is or was in use. The invitation stays valid.
    UsernameTaken,
    /// The token is gone, or the inviter is no longer authorized.
    Invalid,
}

#[expect(unused_variables, reason = "the default implementation stores nothing")]
pub trait InvitationStore: Clone + Send + Sync + 'static {
    /// Consumes the token and creates the account, or does neither.
    ///
    /// The inviter's authorization is checked in this transaction. The new account is the actor,
    /// and the audit names the inviter.
    fn accept_invitation(
        &self,
        accept: AcceptInvitation,
    ) -> impl Future<Output = StoreResult<AcceptInvitationResult>> + Send {
        unsupported()
    }
}
