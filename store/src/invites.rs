//! Invitations used: the slip goes and the account comes, in one transaction.

use auth::{
    Invite, Inviter, Username,
    store::{Answer, End, Inserted, InviteStore, Redeem, Redeemed, SlipKind},
};

use crate::{
    Store,
    accounts::{self, Create},
    audit,
    auth_store::write,
    connection::Connection,
    error::DbError,
    roles,
    slips::{self, One},
};

impl InviteStore for Store {
    async fn redeem_invite(&self, redeem: Redeem) -> Answer<Redeemed> {
        write!(self, redeem, self::redeem)
    }
}

/// Nothing is written before it is clear that all of it will be.
async fn redeem(db: &mut Connection, redeem: &Redeem) -> Result<Redeemed, DbError> {
    let one = One {
        kind: SlipKind::Invite,
        hash: redeem.hash.clone(),
        at: redeem.at,
    };
    // Whoever invited before what they made, as everywhere.
    if !is_good(db, redeem).await? || !slips::hold(db, &one).await? {
        return Ok(Redeemed::Over);
    }
    let new = redeem.new.clone();
    let by = redeem.by.clone();
    let create = Create {
        new,
        roles: redeem.roles.clone(),
        by,
        invite: Some(redeem.invite.clone()),
    };
    if accounts::create(db, &create).await? == Inserted::Taken {
        return Ok(Redeemed::Taken);
    }
    slips::take(db, &one).await?;
    Ok(Redeemed::Done)
}

/// Whoever invited is held until the commit: nobody disables them or takes a role of theirs away meanwhile.
async fn is_good(db: &mut Connection, redeem: &Redeem) -> Result<bool, DbError> {
    let Inviter::Account(username) = &redeem.invite.by else {
        return Ok(redeem.invite.is_good_by(None));
    };
    accounts::hold(db, username).await?;
    let inviter = roles::member(db, username).await?;
    Ok(redeem.invite.is_good_by(inviter.as_ref()))
}

/// What was handed out by somebody who is thrown out, or (`None`) by anybody but the operator, lets nobody in any more.
pub(crate) async fn withdraw_all(
    db: &mut Connection,
    by: Option<&Username>,
    end: &End,
) -> Result<(), DbError> {
    for slip in slips::take_all(db, SlipKind::Invite, by).await? {
        if let Some(record) = Invite::withdrawn(&slip, end) {
            audit::record(db, &record).await?;
        }
    }
    Ok(())
}
