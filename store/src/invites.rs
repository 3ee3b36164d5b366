//! Accepting an invitation: one transaction deletes the token and inserts the account.

use auth::{
    Invitation, Inviter, Username,
    store::{
        AcceptInvitation, AcceptInvitationResult, InsertResult, InvitationStore, OneTimeKind,
        SessionEnd, StoreResult,
    },
};

use crate::{
    Store,
    accounts::{self, CreateAccount},
    audit,
    connection::Connection,
    error::DbError,
    groups,
    one_time_tokens::{self, Key},
    roles,
    transaction::write_tx,
};

impl InvitationStore for Store {
    async fn accept_invitation(
        &self,
        redeem: AcceptInvitation,
    ) -> StoreResult<AcceptInvitationResult> {
        write_tx!(self, redeem, self::accept)
    }
}

/// Makes every check before its first write.
async fn accept(
    db: &mut Connection,
    redeem: &AcceptInvitation,
) -> Result<AcceptInvitationResult, DbError> {
    let one = Key {
        kind: OneTimeKind::Invitation,
        hash: redeem.hash.clone(),
        at: redeem.at,
    };
    // The inviter is locked before the token, as everywhere.
    if !is_authorized(db, redeem).await? || !one_time_tokens::lock_row(db, &one).await? {
        return Ok(AcceptInvitationResult::Invalid);
    }
    let new = redeem.new.clone();
    let by = redeem.by.clone();
    let create = CreateAccount {
        new,
        roles: redeem.roles.clone(),
        by,
        invite: Some(redeem.invitation.clone()),
    };
    if accounts::create(db, &create).await? == InsertResult::Duplicate {
        return Ok(AcceptInvitationResult::UsernameTaken);
    }
    for group in &redeem.invitation.groups {
        groups::add_invited(db, group, redeem).await?;
    }
    one_time_tokens::consume(db, &one).await?;
    Ok(AcceptInvitationResult::Accepted)
}

/// Locks the inviter until the commit, so that neither status nor roles change meanwhile.
async fn is_authorized(db: &mut Connection, redeem: &AcceptInvitation) -> Result<bool, DbError> {
    let Inviter::Account(username) = &redeem.invitation.by else {
        return Ok(redeem.invitation.still_authorized(None));
    };
    accounts::lock_row(db, username).await?;
    let inviter = roles::member(db, username).await?;
    Ok(redeem.invitation.still_authorized(inviter.as_ref()))
}

/// Revokes the invitations of one account, or with `None` all except the operator's.
pub(crate) async fn revoke_all(
    db: &mut Connection,
    by: Option<&Username>,
    end: &SessionEnd,
) -> Result<(), DbError> {
    for token in one_time_tokens::consume_all(db, OneTimeKind::Invitation, by).await? {
        if let Some(record) = Invitation::withdrawal_entry(&token, end) {
            audit::record(db, &record).await?;
        }
    }
    Ok(())
}
