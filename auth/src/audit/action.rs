//! The words of the accounts' chain. A published word never changes its meaning.

macro_rules! audit_actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AuditAction {
            $($(#[$doc])* $name,)*
        }

        impl AuditAction {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it stands in the audit.
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
    /// A session began: `facts.methods`; `new_device` if it came from a place not seen before, `days_away` if the last
    /// one was long ago, `refused_before` if many were refused since.
    SignedIn = "sign_in";
    /// The password was right, and the second factor is due; `facts.new_device` as above.
    SignInMfaPending = "sign_in.half_way";
    /// A secret was tried and was wrong; `reason` says what it was to be ([`Secret`](crate::throttle::Secret)).
    SignInFailed = "sign_in.refused";
    /// Tries were refused because there were too many: the first, and then one entry in ten minutes; `facts.times`.
    Throttled = "sign_in.throttled";
    /// Somebody proved again who they are.
    StepUpCompleted = "sign_in.confirmed";
    /// Somebody who is signed in asked for what they may not do (the subject): the first, and then one entry in ten
    /// minutes; `facts.times`. `reason` is `not_allowed`, `scope_missing`, `not_in_person` or `cross_site`
    /// (`facts.site`); `facts.request` says what for, `facts.realm` where.
    ActionDenied = "action.refused";
    /// One session ended; `reason` says why.
    SessionEnded = "session.ended";
    /// Several ended at once; `facts.sessions` says how many.
    SessionsEnded = "sessions.ended";
    /// Everybody was signed out by an administrator or the operator; `facts.sessions` says how many there were,
    /// `facts.tokens` whether personal access tokens ended too.
    AllSessionsEnded = "everybody.signed_out";
    /// A refresh token was used twice: somebody has a copy. Its session was ended.
    RefreshReplayed = "refresh.replayed";

    /// A personal access token was made.
    TokenCreated = "token.made";
    TokenEnded = "token.ended";
    /// A device was let in (RFC 8628).
    DeviceApproved = "device.approved";
    DeviceDenied = "device.refused";
    /// A program was given an authorization code (RFC 6749 §4.1).
    ClientApproved = "program.approved";

    PasswordChanged = "password.changed";
    /// By a link, without the old one.
    PasswordReset = "password.reset";
    /// The same password under a better hash.
    PasswordRehashed = "password.rehashed";
    /// A link for a new password was made.
    ResetCreated = "reset.made";
    /// An administrator wants a new password.
    ResetRequired = "reset.required";

    FactorAdded = "factor.added";
    FactorRemoved = "factor.removed";
    FactorRenamed = "factor.renamed";
    /// A passkey was refused because its counter went back: somebody may have a copy of it.
    PasskeyCloned = "passkey.copied";
    /// An administrator took all second factors away.
    FactorsReset = "factors.recovered";
    RecoveryCodesCreated = "recovery_codes.made";
    RecoveryCodeUsed = "recovery_code.used";

    ProviderLinked = "provider.linked";
    ProviderUnlinked = "provider.unlinked";

    AccountCreated = "account.created";
    AccountChanged = "account.changed";
    EmailChanged = "email.changed";
    /// Another address was asked for (`facts.email`); it counts once the link that went there is followed.
    EmailChangeRequested = "email.asked";
    /// `facts.realm`, with the role `before` and `after`.
    RoleChanged = "role.changed";
    GroupCreated = "group.made";
    GroupChanged = "group.changed";
    GroupDeleted = "group.removed";
    InvitationCreated = "invite.made";
    InvitationAccepted = "invite.used";
    InvitationRevoked = "invite.withdrawn";

    /// An administrator let somebody try again.
    ThrottleLifted = "throttle.lifted";
    /// A signing key was replaced.
    KeyRotated = "key.rotated";
    /// Another master key is in force.
    MasterKeyRotated = "master_key.replaced";
    /// The chains' heads were sealed anew, by the operator.
    AuditSealed = "audit.sealed";
}

impl AuditAction {
    /// Whether its subject is an account. Groups, invited addresses and what was asked for may be spelled like
    /// somebody's name.
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
        let words: std::collections::HashSet<_> =
            AuditAction::ALL.iter().map(|deed| deed.as_str()).collect();
        assert_eq!(words.len(), AuditAction::ALL.len());
        assert!(words.iter().all(|word| {
            word.bytes()
                .all(|b| b.is_ascii_lowercase() || b"._".contains(&b))
        }));
    }
}
