//! Invitations used, under one lock.

use super::Memory;
use crate::{
    Inviter,
    store::{Answer, Inserted, InviteStore, Redeem, Redeemed, SlipKind},
};

impl InviteStore for Memory {
    async fn redeem_invite(&self, redeem: Redeem) -> Answer<Redeemed> {
        let mut tables = self.ask()?;
        let is_it = |slip: &crate::store::Slip| {
            slip.kind == SlipKind::Invite && slip.hash == redeem.hash && redeem.at < slip.expires_at
        };
        let Some(n) = tables.slips.iter().position(is_it) else {
            return Ok(Redeemed::Over);
        };
        let inviter = match &redeem.invite.by {
            Inviter::Operator => None,
            Inviter::Account(username) => tables.member(username),
        };
        if !redeem.invite.is_good_by(inviter.as_ref()) {
            return Ok(Redeemed::Over);
        }
        if tables.insert(redeem.new, redeem.roles) == Inserted::Taken {
            return Ok(Redeemed::Taken);
        }
        tables.slips.remove(n);
        Ok(Redeemed::Done)
    }
}
