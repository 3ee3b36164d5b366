//! The actions of the accounts' audit chain. A published word never changes its meaning.

macro_rules! audit_actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AuditAction {
            $($(#[$doc])* $name,)*
        }

        impl AuditAction {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the audit.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

audit_actions! {
    /// A session began: `facts.methods`; `new_device` for an unknown source, `days_away` after a
    /// long absence, `refused_before` after many failed attempts.
    SignedIn = "sign_in";
    /// The password was right, and the second factor is required; `facts.new_device` as above.
    SignInMfaPending = "sign_in.half_way";
    /// A wrong secret; `reason` is its kind ([`CredentialKind`](crate::throttle::CredentialKind)).
    SignInFailed = "sign_in.refused";
    /// Throttled attempts: the first, then one entry every ten minutes; `facts.times`.
    Throttled = "sign_in.throttled";
    /// The user authenticated again (step-up).
    StepUpCompleted = "sign_in.confirmed";
    /// An authenticated caller was denied an action (the subject): the first denial, then one entry
    /// every ten minutes; `facts.times`.
    ///
    /// `reason` is `not_allowed`, `scope_missing`, `not_in_person` or `cross_site` (`facts.site`).
    /// `facts.request` is the request, `facts.realm` its realm.
    ActionDenied = "action.refused";
    /// One session ended; `reason` is the cause.
    SessionEnded = "session.ended";
    /// Several sessions ended at once; `facts.sessions` is their number.
    SessionsEnded = "sessions.ended";
    /// An administrator or the operator ended all sessions of all accounts. `facts.sessions` is
    /// their number, `facts.tokens` whether personal access tokens ended too.
    AllSessionsEnded = "everybody.signed_out";
    /// A refresh token was used twice and may have leaked. Its session was ended.
    RefreshReplayed = "refresh.replayed";

    /// A personal access token was created.
    TokenCreated = "token.made";
    TokenEnded = "token.ended";
    /// A device was approved (RFC 8628).
    DeviceApproved = "device.approved";
    DeviceDenied = "device.refused";
    /// A client received an authorization code (RFC 6749 §4.1).
    ClientApproved = "program.approved";

    PasswordChanged = "password.changed";
    /// With a reset link, without the old password.
    PasswordReset = "password.reset";
    /// The same password with a stronger hash.
    PasswordRehashed = "password.rehashed";
    /// A reset link was created.
    ResetCreated = "reset.made";
    /// An administrator required a new password.
    ResetRequired = "reset.required";

    FactorAdded = "factor.added";
    FactorRemoved = "factor.removed";
    FactorRenamed = "factor.renamed";
    /// A passkey was rejected because its counter went back: it may be cloned.
    PasskeyCloned = "passkey.copied";
    /// An administrator removed all second factors.
    FactorsReset = "factors.recovered";
    RecoveryCodesCreated = "recovery_codes.made";
    RecoveryCodeUsed = "recovery_code.used";

    ProviderLinked = "provider.linked";
    ProviderUnlinked = "provider.unlinked";

    AccountCreated = "account.created";
    AccountChanged = "account.changed";
    EmailChanged = "email.changed";
    /// A new address was requested (`facts.email`). It takes effect when its confirmation link is
    /// used.
    EmailChangeRequested = "email.asked";
    /// `facts.realm`, with the role in `before` and `after`.
    RoleChanged = "role.changed";
    GroupCreated = "group.made";
    GroupChanged = "group.changed";
    GroupDeleted = "group.removed";
    InvitationCreated = "invite.made";
    InvitationAccepted = "invite.used";
    InvitationRevoked = "invite.withdrawn";

    /// An administrator lifted a lockout.
    ThrottleLifted = "throttle.lifted";
    /// A signing key was replaced.
    KeyRotated = "key.rotated";
    /// A new master key is active.
    MasterKeyRotated = "master_key.replaced";
    /// The operator sealed the chains' heads again.
    AuditSealed = "audit.sealed";
}

impl AuditAction {
    /// Whether the subject is an account. Group names, invited addresses and denied actions may
    /// equal a username.
    #[must_use]
    pub fn concerns_account(self) -> bool {
        !matches!(
            self,
            Self::ActionDenied
                | Self::GroupCreated
                | Self::GroupChanged
                | Self::GroupDeleted
                | Self::InvitationCreated
                | Self::InvitationAccepted
                | Self::InvitationRevoked
                | Self::KeyRotated
                | Self::MasterKeyRotated
                | Self::AuditSealed
                | Self::AllSessionsEnded
        )
    }
}

impl std::fmt::Display for AuditAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_action_names_are_unique_lowercase_words() {
        let words: std::collections::HashSet<_> = AuditAction::ALL
            .iter()
            .map(|action| action.as_str())
            .collect();
        assert_eq!(words.len(), AuditAction::ALL.len());
        assert!(words.iter().all(|word| {
            word.bytes()
                .all(|b| b.is_ascii_lowercase() || b"._".contains(&b))
        }));
    }
}
