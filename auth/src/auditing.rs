//! Reading the audit: administrators all of it, managers their realm's chain, everybody what concerns themself.

use crate::{
    Action, Auth, AuthError, AuthStore, Caller, Grant, Permit, Role,
    audit::{AuditQuery, Chain, Entry},
    permit::{Administrator, Everywhere, InRealm},
};

/// Administrators read every chain.
#[derive(Debug)]
pub struct SeeAudit;
impl Action for SeeAudit {
    const NAME: &'static str = "audit.see";
    type Scope = Everywhere;
    const NEEDS: Administrator = Administrator;
    const GRANT: Grant = Grant::Administer;
}

/// Managers of a vault (and administrators) read its chain.
#[derive(Debug)]
pub struct SeeRealmAudit;
impl Action for SeeRealmAudit {
    const NAME: &'static str = "vault.audit";
    type Scope = InRealm;
    const NEEDS: Role = Role::Manager;
    const GRANT: Grant = Grant::Administer;
}

impl<S: AuthStore> Auth<S> {
    pub async fn audit(&self, _permit: &Permit<SeeAudit>, query: AuditQuery) -> Result<Vec<Entry>, AuthError> {
        Ok(self.0.store.audit(query).await?)
    }

    /// The chain of the permit's realm, whatever the query says.
    pub async fn realm_audit(
        &self,
        permit: &Permit<SeeRealmAudit>,
        query: AuditQuery,
    ) -> Result<Vec<Entry>, AuthError> {
        Ok(self.0.store.audit(AuditQuery { chain: Chain::Realm(permit.realm().id.clone()), ..query }).await?)
    }

    /// What the caller did to accounts and what was done to theirs, whatever the query says of that. Where an
    /// administrator sat is not told.
    pub async fn own_audit(&self, caller: &Caller, query: AuditQuery) -> Result<Vec<Entry>, AuthError> {
        let own = caller.account().username.clone();
        let query = AuditQuery { chain: Chain::Accounts, concerning: Some(own.clone()), ..query };
        let mut entries = self.0.store.audit(query).await?;
        for entry in entries.iter_mut().filter(|entry| entry.actor != own.as_str()) {
            entry.detail.from = None;
            if let Some(by) = entry.detail.by.as_mut() {
                (by.session, by.label) = (None, None);
            }
        }
        Ok(entries)
    }
}
