//! What administrators do with accounts, and managers with the members of a realm. Each call wants its permit.

use crate::{
    Account, AccountChange, AccountStatus, Auth, AuthError, AuthStore, Permit, Role,
    SecurityNotice, Username,
    factor::AuditReason,
    service::{ManageAccounts, ManageMembers, ReadAccounts, ReadMembers},
    store::{
        AccountQuery, ChangeRejected, EndAllSessions, EndReason, Member, PersonalTokenPolicy,
        SessionEnd,
    },
};

/// What becomes of the session of whoever signs everybody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnSession {
    Keep,
    End,
}

impl<S: AuthStore> Auth<S> {
    /// By username, without deleted ones.
    pub async fn members(
        &self,
        _permit: &Permit<ReadAccounts>,
        query: AccountQuery,
    ) -> Result<Vec<Member>, AuthError> {
        Ok(self.0.store.members(query).await?)
    }

    /// # Errors
    /// [`AuthError::NoSuchAccount`], also for a deleted one.
    pub async fn member(
        &self,
        _permit: &Permit<ReadAccounts>,
        username: &Username,
    ) -> Result<Member, AuthError> {
        self.existing_member(username).await
    }

    /// # Errors
    /// [`AuthError::LastAdministrator`] for a change that would leave nobody in charge; [`AuthError::NoSuchAccount`];
    /// [`AuthError::NotInPerson`] where a program asks for a change that [lets somebody in](AccountChange::lets_in), or
    /// that [keeps](AccountChange::keeps_out) an administrator out: no stolen token topples those who would end it.
    pub async fn change_account(
        &self,
        permit: &Permit<ManageAccounts>,
        username: &Username,
        change: AccountChange,
    ) -> Result<Member, AuthError> {
        if change.grants_access() {
            permit.require_interactive()?;
        }
        // A deleted account is gone for good: nobody gets its name back by changing its standing.
        let before = self.existing_member(username).await?;
        if before.account.administrator && change.revokes_access() {
            permit.require_interactive()?;
        }
        let changed = self
            .0
            .store
            .change_account(username, change, permit.actor().clone(), self.0.clock.now())
            .await;
        // Even where it failed: better to load once too often than to trust what may have changed.
        self.invalidate(username);
        let account = changed.map_err(to_auth_error)?;
        // At the address that it had: who gets the new one may be somebody else.
        if account.email != before.account.email {
            self.audit_and_notify_by(
                &before.account,
                SecurityNotice::EmailChanged,
                permit.actor(),
            )
            .await?;
        }
        if account.must_change_password && !before.account.must_change_password {
            self.audit_and_notify_by(
                &before.account,
                SecurityNotice::PasswordChangeRequired,
                permit.actor(),
            )
            .await?;
        }
        Ok(Member { account, ..before })
    }

    /// Signs somebody out everywhere, personal tokens too; says how many sessions there were.
    ///
    /// # Errors
    /// [`AuthError::NoSuchAccount`].
    pub async fn end_sessions_of(
        &self,
        permit: &Permit<ManageAccounts>,
        username: &Username,
    ) -> Result<u64, AuthError> {
        self.existing_member(username).await?;
        let end = SessionEnd {
            reason: EndReason::EndedByAdministrator,
            by: permit.actor().clone(),
            at: self.0.clock.now(),
        };
        let ended = self.0.store.end_sessions(username, None, end).await;
        self.invalidate(username);
        Ok(ended?)
    }

    /// Signs everybody out, on every node within a second; says how many sessions there were.
    pub async fn end_all_sessions(
        &self,
        permit: &Permit<ManageAccounts>,
        own: OwnSession,
        tokens: PersonalTokenPolicy,
        reason: AuditReason,
    ) -> Result<u64, AuthError> {
        let by = permit.actor().clone();
        let keep = if own == OwnSession::Keep {
            by.session().cloned()
        } else {
            None
        };
        let end = SessionEnd {
            reason: EndReason::EndedByAdministrator,
            by,
            at: self.0.clock.now(),
        };
        let ended = self
            .0
            .store
            .end_all_sessions(EndAllSessions {
                keep,
                tokens,
                end,
                reason: reason.into(),
            })
            .await;
        // Even where it failed: better to load once too often than to trust what may have changed.
        self.apply_account_events().await?;
        Ok(ended?)
    }

    /// Active accounts with a role in the permit's realm, by username.
    pub async fn members_of(
        &self,
        permit: &Permit<ReadMembers>,
    ) -> Result<Vec<(Account, Role)>, AuthError> {
        Ok(self.0.store.members_of(&permit.realm().id).await?)
    }

    /// `None` takes the role away.
    ///
    /// # Errors
    /// [`AuthError::NoSuchAccount`].
    pub async fn set_role(
        &self,
        permit: &Permit<ManageMembers>,
        username: &Username,
        role: Option<Role>,
    ) -> Result<(), AuthError> {
        let (realm, by) = (&permit.realm().id, permit.actor().clone());
        let set = self
            .0
            .store
            .set_role(username, realm, role, by, self.0.clock.now())
            .await;
        self.invalidate(username);
        set.map_err(to_auth_error)
    }

    async fn existing_member(&self, username: &Username) -> Result<Member, AuthError> {
        let member = self.0.store.member(username).await?;
        member
            .filter(|member| member.account.status != AccountStatus::Deleted)
            .ok_or(AuthError::NoSuchAccount)
    }
}

pub(crate) fn to_auth_error(why: ChangeRejected) -> AuthError {
    match why {
        ChangeRejected::NoSuchAccount => AuthError::NoSuchAccount,
        ChangeRejected::LastAdministrator => AuthError::LastAdministrator,
        ChangeRejected::Store(unavailable) => AuthError::Store(unavailable),
    }
}
