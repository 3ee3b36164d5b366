//! Invitations used: the slip goes and the account comes, in one transaction.

use auth::{
    Invitation, Inviter, Username,
    store::{StoreResult, SessionEnd, InsertResult, InviteStore, AcceptInvitation, AcceptInvitationResult, OneTimeKind},
};

use crate::{
    Store,
    accounts::{self, CreateAccount},
    audit,
    connection::Connection,
    error::DbError,
    one_time_tokens::{self, Key},
    roles,
    transaction::write_tx,
};

impl InviteStore for Store {
    async fn accept_invitation(&self, redeem: AcceptInvitation) -> StoreResult<AcceptInvitationResult> {
        write_tx!(self, redeem, self::accept)
    }
}

/// Nothing is written before it is clear that all of it will be.
async fn accept(db: &mut Connection, redeem: &AcceptInvitation) -> Result<AcceptInvitationResult, DbError> {
    let one = Key {
        kind: OneTimeKind::Invite,
        hash: redeem.hash.clone(),
        at: redeem.at,
    };
    // Whoever invited before what they made, as everywhere.
    if !is_authorized(db, redeem).await? || !one_time_tokens::lock_row(db, &one).await? {
        return Ok(AcceptInvitationResult::Invalid);
    }
    let new = redeem.new.clone();
    let by = redeem.by.clone();
    let create = CreateAccount {
        new,
        roles: redeem.roles.clone(),
        by,
        invite: Some(redeem.invite.clone()),
    };
    if accounts::create(db, &create).await? == InsertResult::Duplicate {
        return Ok(AcceptInvitationResult::UsernameTaken);
    }
    one_time_tokens::consume(db, &one).await?;
    Ok(AcceptInvitationResult::Accepted)
}

/// Whoever invited is held until the commit: nobody disables them or takes a role of theirs away meanwhile.
async fn is_authorized(db: &mut Connection, redeem: &AcceptInvitation) -> Result<bool, DbError> {
    let Inviter::Account(username) = &redeem.invite.by else {
        return Ok(redeem.invite.still_authorized(None));
    };
    accounts::lock_row(db, username).await?;
    let inviter = roles::member(db, username).await?;
    Ok(redeem.invite.still_authorized(inviter.as_ref()))
}

/// What was handed out by somebody who is thrown out, or (`None`) by anybody but the operator, lets nobody in any more.
pub(crate) async fn revoke_all(
    db: &mut Connection,
    by: Option<&Username>,
    end: &SessionEnd,
) -> Result<(), DbError> {
    for slip in one_time_tokens::consume_all(db, OneTimeKind::Invite, by).await? {
        if let Some(record) = Invitation::withdrawn(&slip, end) {
            audit::record(db, &record).await?;
        }
    }
    Ok(())
}
