//! Acceptance of invitations, under one lock.

use super::MemoryStore;
use crate::{
    Inviter,
    store::{
        AcceptInvitation, AcceptInvitationResult, InsertResult, InvitationStore, OneTimeKind,
        StoreResult,
    },
};

impl InvitationStore for MemoryStore {
    async fn accept_invitation(
        &self,
        redeem: AcceptInvitation,
    ) -> StoreResult<AcceptInvitationResult> {
        let mut tables = self.query()?;
        let is_it = |token: &crate::store::OneTimeToken| {
            token.kind == OneTimeKind::Invitation
                && token.hash == redeem.hash
                && redeem.at < token.expires_at
        };
        let Some(n) = tables.one_time_tokens.iter().position(is_it) else {
            return Ok(AcceptInvitationResult::Invalid);
        };
        let inviter = match &redeem.invitation.by {
            Inviter::Operator => None,
            Inviter::Account(username) => tables.member(username),
        };
        if !redeem.invitation.still_authorized(inviter.as_ref()) {
            return Ok(AcceptInvitationResult::Invalid);
        }
        if tables.insert(redeem.new, redeem.roles) == InsertResult::Duplicate {
            return Ok(AcceptInvitationResult::UsernameTaken);
        }
        tables.one_time_tokens.remove(n);
        Ok(AcceptInvitationResult::Accepted)
    }
}
