//! Invitations are [slips](super::Slip); what is special about them is how one is used.

use jiff::Timestamp;

use super::{StoreResult, unsupported};
use crate::{Actor, NewAccount, RealmId, Role, TokenHash, accounts::invitation::Invitation};

/// An invitation about to be used.
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
    /// The name is or was somebody's: the invitation stays good.
    UsernameTaken,
    /// The slip is gone, or whoever invited may not any more.
    Invalid,
}

#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait InvitationStore: Clone + Send + Sync + 'static {
    /// Takes the slip and makes the account, or does neither. [`Invite::is_good_by`] decides about whoever invited, as
    /// they are inside this transaction; the new account is responsible for itself, and the audit names the inviter.
    fn accept_invitation(
        &self,
        accept: AcceptInvitation,
    ) -> impl Future<Output = StoreResult<AcceptInvitationResult>> + Send {
        unsupported()
    }
}
