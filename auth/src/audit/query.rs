//! Reading the audit: administrators read every chain, managers the chain of their realm, users the
//! entries about themselves.

use crate::{
    Action, Admin, AuthError, AuthStore, Caller, Permit, Role, Scope, Username,
    access::permit::{Administrator, GlobalTarget, RealmTarget},
    audit::{AuditEntry, AuditQuery, Chain},
    handles::Accounts,
};

/// Administrators read every chain.
#[derive(Debug)]
pub struct ReadAudit;
impl Action for ReadAudit {
    const NAME: &'static str = "audit.see";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
}

/// Managers of a vault (and administrators) read its chain.
#[derive(Debug)]
pub struct ReadRealmAudit;
impl Action for ReadRealmAudit {
    const NAME: &'static str = "vault.audit";
    type Target = RealmTarget;
    const REQUIRED_ROLE: Role = Role::Manager;
    const SCOPE: Scope = Scope::Administer;
}

impl<S: AuthStore> Admin<'_, S> {
    pub async fn audit(
        self,
        _permit: &Permit<ReadAudit>,
        query: AuditQuery,
    ) -> Result<Vec<AuditEntry>, AuthError> {
        Ok(self.0.core.store.audit(query).await?)
    }

    /// Reads the chain of the permit's realm; `query.chain` is ignored. Origins of other users are
    /// hidden from a manager who is no administrator.
    pub async fn realm_audit(
        self,
        permit: &Permit<ReadRealmAudit>,
        caller: &Caller,
        query: AuditQuery,
    ) -> Result<Vec<AuditEntry>, AuthError> {
        let query = AuditQuery {
            chain: Chain::Realm(permit.realm().id.clone()),
            ..query
        };
        let mut entries = self.0.core.store.audit(query).await?;
        if !caller.may_administer() {
            hide_origins(&mut entries, permit.username());
        }
        Ok(entries)
    }
}

impl<S: AuthStore> Accounts<'_, S> {
    /// Reads the entries whose actor or subject is the caller; `query` cannot widen this. Origins
    /// of other users are hidden.
    pub async fn own_audit(
        self,
        caller: &Caller,
        query: AuditQuery,
    ) -> Result<Vec<AuditEntry>, AuthError> {
        let own = caller.account().username.clone();
        let query = AuditQuery {
            chain: Chain::Accounts,
            involving: Some(own.clone()),
            ..query
        };
        let mut entries = self.0.core.store.audit(query).await?;
        hide_origins(&mut entries, &own);
        Ok(entries)
    }
}

/// Hides address, user agent and session of other actors. Only the actor and administrators may see
/// them.
fn hide_origins(entries: &mut [AuditEntry], viewer: &Username) {
    for entry in entries
        .iter_mut()
        .filter(|entry| entry.actor != viewer.as_str())
    {
        entry.detail.from = None;
        if let Some(by) = entry.detail.for_actor.as_mut() {
            (by.session, by.label) = (None, None);
        }
    }
}
