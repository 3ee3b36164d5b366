//! Removal of all second factors by an administrator, for an account whose owner has lost them. The
//! administrator must verify the owner's identity first.

use serde_json::json;

use crate::{
    AuthError, AuthStore, Factors, Permit, SecurityNotice, Username,
    actions::OpenAccountAccess,
    audit::AuditAction,
    error::AccountError,
    store::{FactorChange, MinimumFactors, Removal},
    throttle::CredentialKind,
};

/// The administrator's reason for the audit: 1 to 500 characters.
#[derive(Clone, Debug)]
pub struct AuditReason(String);

impl AuditReason {
    /// # Errors
    /// `AccountError::InvalidReason`.
    pub fn parse(raw: &str) -> Result<Self, AuthError> {
        let text = raw.trim();
        let is_valid = (1..=500).contains(&text.chars().count()) && !text.contains('\0');
        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(AuthError::Account(AccountError::InvalidReason))
        }
    }
}

impl From<AuditReason> for String {
    fn from(reason: AuditReason) -> Self {
        reason.0
    }
}

impl<S: AuthStore> Factors<'_, S> {
    /// Removes every second factor, recovery code and linked provider identity, and ends every
    /// session. Only the password remains.
    ///
    /// Identities are unlinked too, because an attacker may have linked their own. The owner is
    /// notified. The audit records the administrator and the reason.
    ///
    /// # Errors
    /// `AccountError::NoSuchAccount`, `AccountError::OwnAccount`.
    pub async fn reset_factors(
        self,
        permit: &Permit<OpenAccountAccess>,
        username: &Username,
        reason: AuditReason,
    ) -> Result<(), AuthError> {
        if permit.actor().session().is_some() && permit.actor().username == *username {
            return Err(AuthError::Account(AccountError::OwnAccount));
        }
        let change = FactorChange {
            username: username.clone(),
            remove: Removal::All,
            add: Vec::new(),
            minimum: MinimumFactors::None,
            keep: None,
            unlink_identities: true,
            by: permit.actor().clone(),
            action: AuditAction::FactorsReset,
            detail: json!({ "reason": reason.0 }),
            at: self.0.core.clock.now(),
        };
        let changed = self.0.core.store.change_factors(change).await;
        self.0.invalidate(username);
        changed?;
        // The secrets that the failures were counted for no longer exist.
        for kind in [CredentialKind::Totp, CredentialKind::RecoveryCode] {
            self.0
                .throttling()
                .reset_for_new_secret(username, kind)
                .await?;
        }
        let member = self
            .0
            .core
            .store
            .member(username)
            .await?
            .ok_or(AuthError::Account(AccountError::NoSuchAccount))?;
        self.0
            .mail()
            .audit_and_notify_by(
                &member.account,
                SecurityNotice::FactorsReset,
                permit.actor(),
            )
            .await
    }
}
