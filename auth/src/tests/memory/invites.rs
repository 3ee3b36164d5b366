//! Invitations used, under one lock.

use super::Memory;
use crate::{
    Inviter,
    store::{StoreResult, InsertResult, InviteStore, AcceptInvitation, AcceptInvitationResult, OneTimeKind},
};

impl InviteStore for Memory {
    async fn accept_invitation(&self, redeem: AcceptInvitation) -> StoreResult<AcceptInvitationResult> {
        let mut tables = self.ask()?;
        let is_it = |slip: &crate::store::OneTimeToken| {
            slip.kind == OneTimeKind::Invite && slip.hash == redeem.hash && redeem.at < slip.expires_at
        };
        let Some(n) = tables.slips.iter().position(is_it) else {
            return Ok(AcceptInvitationResult::Invalid);
        };
        let inviter = match &redeem.invite.by {
            Inviter::Operator => None,
            Inviter::Account(username) => tables.member(username),
        };
        if !redeem.invite.still_authorized(inviter.as_ref()) {
            return Ok(AcceptInvitationResult::Invalid);
        }
        if tables.insert(redeem.new, redeem.roles) == InsertResult::Duplicate {
            return Ok(AcceptInvitationResult::UsernameTaken);
        }
        tables.slips.remove(n);
        Ok(AcceptInvitationResult::Accepted)
    }
}
