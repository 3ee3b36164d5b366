//! For somebody who has lost everything: an administrator takes all second factors away, after making sure who asks.

use serde_json::json;

use crate::{
    Auth, AuthError, AuthStore, Permit, SecurityNotice, Username,
    audit::AuditAction,
    service::OpenAccountAccess,
    store::{FactorChange, MinimumFactors, Removal},
    throttle::CredentialKind,
};

/// Why, in the administrator's words: 1 to 500 characters.
#[derive(Clone, Debug)]
pub struct AuditReason(String);

impl AuditReason {
    /// # Errors
    /// [`AuthError::BadReason`].
    pub fn parse(raw: &str) -> Result<Self, AuthError> {
        let text = raw.trim();
        let is_valid = (1..=500).contains(&text.chars().count()) && !text.contains('\0');
        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(AuthError::InvalidReason)
        }
    }
}

impl From<AuditReason> for String {
    fn from(reason: AuditReason) -> Self {
        reason.0
    }
}

impl<S: AuthStore> Auth<S> {
    /// Every second factor and recovery code goes, so does every account at a provider that was joined (a stranger may
    /// have joined theirs), and every session ends: the password is what is left. The owner is
    /// told, and the audit knows who did it and why.
    ///
    /// # Errors
    /// [`AuthError::NoSuchAccount`], [`AuthError::OwnAccount`].
    pub async fn reset_factors(
        &self,
        permit: &Permit<OpenAccountAccess>,
        username: &Username,
        reason: AuditReason,
    ) -> Result<(), AuthError> {
        if permit.actor().session().is_some() && permit.actor().username == *username {
            return Err(AuthError::OwnAccount);
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
            at: self.0.clock.now(),
        };
        let changed = self.0.store.change_factors(change).await;
        self.invalidate(username);
        changed?;
        // What was guessed at is there no more.
        for kind in [CredentialKind::Totp, CredentialKind::RecoveryCode] {
            self.reset_for_new_secret(username, kind).await?;
        }
        let member = self
            .0
            .store
            .member(username)
            .await?
            .ok_or(AuthError::NoSuchAccount)?;
        self.audit_and_notify_by(
            &member.account,
            SecurityNotice::FactorsReset,
            permit.actor(),
        )
        .await
    }
}
