//! Administration of accounts by administrators, and of realm members by managers. Each method
//! requires a permit.

use crate::{
    Account, AccountChange, AccountStatus, Admin, AuthError, AuthStore, Permit, Role,
    SecurityNotice, Username,
    actions::{ManageAccounts, ManageMembers, ReadAccounts, ReadMembers},
    error::AccountError,
    factor::AuditReason,
    store::{
        AccountQuery, ChangeRejected, EndAllSessions, EndReason, Member, PersonalTokenPolicy,
        SessionEnd,
    },
};

/// The treatment of the caller's own session when all sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnSession {
    Keep,
    End,
}

impl<S: AuthStore> Admin<'_, S> {
    /// Lists accounts sorted by username, without deleted ones.
    pub async fn members(
        self,
        _permit: &Permit<ReadAccounts>,
        query: AccountQuery,
    ) -> Result<Vec<Member>, AuthError> {
        Ok(self.0.core.store.members(query).await?)
    }

    /// # Errors
    /// `AccountError::NoSuchAccount`, also for a deleted account.
    pub async fn member(
        self,
        _permit: &Permit<ReadAccounts>,
        username: &Username,
    ) -> Result<Member, AuthError> {
        self.existing_member(username).await
    }

    /// # Errors
    /// `AccountError::LastAdministrator` for a change that would leave no administrator;
    /// `AccountError::NoSuchAccount`; `AccessError::InteractiveSessionRequired` if a client requests
    /// a change that [grants access](AccountChange::grants_access), or that
    /// [revokes](AccountChange::revokes_access) an administrator's access. A stolen token then
    /// cannot lock out the administrators who would revoke it.
    pub async fn change_account(
        self,
        permit: &Permit<ManageAccounts>,
        username: &Username,
        change: AccountChange,
    ) -> Result<Member, AuthError> {
        if change.grants_access() {
            permit.require_interactive()?;
        }
        // Deleted accounts cannot be changed: a new status would give away their name.
        let before = self.existing_member(username).await?;
        if before.account.administrator && change.revokes_access() {
            permit.require_interactive()?;
        }
        let changed = self
            .0
            .core
            .store
            .change_account(
                username,
                change,
                permit.actor().clone(),
                self.0.core.clock.now(),
            )
            .await;
        // Also after an error: the store may have applied the change.
        self.0.invalidate(username);
        let account = changed.map_err(to_auth_error)?;
        // To the old address: the new one may belong to another person.
        for notice in notices_of_change(&before.account, &account) {
            self.0
                .mail()
                .audit_and_notify_by(&before.account, notice, permit.actor())
                .await?;
        }
        Ok(Member { account, ..before })
    }

    /// Ends all sessions of an account, including personal tokens. Returns their number.
    ///
    /// # Errors
    /// `AccountError::NoSuchAccount`.
    pub async fn end_sessions_of(
        self,
        permit: &Permit<ManageAccounts>,
        username: &Username,
    ) -> Result<u64, AuthError> {
        self.existing_member(username).await?;
        let end = SessionEnd {
            reason: EndReason::EndedByAdministrator,
            by: permit.actor().clone(),
            at: self.0.core.clock.now(),
        };
        let ended = self.0.core.store.end_sessions(username, None, end).await;
        self.0.invalidate(username);
        Ok(ended?)
    }

    /// Ends all sessions of all accounts, on every node within one second. Returns their number.
    pub async fn end_all_sessions(
        self,
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
            at: self.0.core.clock.now(),
        };
        let ended = self
            .0
            .core
            .store
            .end_all_sessions(EndAllSessions {
                keep,
                tokens,
                end,
                reason: reason.into(),
            })
            .await;
        // Also after an error: the store may have applied the change.
        self.0.background().apply_account_events().await?;
        Ok(ended?)
    }

    /// Active accounts with a role in the permit's realm, sorted by username.
    pub async fn members_of(
        self,
        permit: &Permit<ReadMembers>,
    ) -> Result<Vec<(Account, Role)>, AuthError> {
        Ok(self.0.core.store.members_of(&permit.realm().id).await?)
    }

    /// Sets a role in the permit's realm; `None` removes it.
    ///
    /// # Errors
    /// `AccountError::NoSuchAccount`.
    pub async fn set_role(
        self,
        permit: &Permit<ManageMembers>,
        username: &Username,
        role: Option<Role>,
    ) -> Result<(), AuthError> {
        let (realm, by) = (&permit.realm().id, permit.actor().clone());
        let set = self
            .0
            .core
            .store
            .set_role(username, realm, role, by, self.0.core.clock.now())
            .await;
        self.0.invalidate(username);
        set.map_err(to_auth_error)
    }

    async fn existing_member(self, username: &Username) -> Result<Member, AuthError> {
        let member = self.0.core.store.member(username).await?;
        member
            .filter(|member| member.account.status != AccountStatus::Deleted)
            .ok_or(AuthError::Account(AccountError::NoSuchAccount))
    }
}

/// What the owner is told about a change by an administrator. A deletion also removes the address,
/// and a disabled account needs no new password: the owner gets one mail with what matters.
fn notices_of_change(before: &Account, after: &Account) -> Vec<SecurityNotice> {
    let ended = match after.status {
        AccountStatus::Deleted => Some(SecurityNotice::AccountDeleted),
        AccountStatus::Disabled => Some(SecurityNotice::AccountDisabled),
        AccountStatus::Active => None,
    };
    if let Some(notice) = ended {
        return (after.status != before.status)
            .then_some(notice)
            .into_iter()
            .collect();
    }
    let address =
        (after.email != before.email).then(|| SecurityNotice::of_new_address(after.email.as_ref()));
    let password = (after.must_change_password && !before.must_change_password)
        .then_some(SecurityNotice::PasswordChangeRequired);
    address.into_iter().chain(password).collect()
}

pub(crate) fn to_auth_error(rejected: ChangeRejected) -> AuthError {
    match rejected {
        ChangeRejected::NoSuchAccount => AuthError::Account(AccountError::NoSuchAccount),
        ChangeRejected::LastAdministrator => AuthError::Account(AccountError::LastAdministrator),
        ChangeRejected::Store(unavailable) => AuthError::Store(unavailable),
    }
}
