//! Lists of accounts, for administrators.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{Account, FactorKinds, GroupName, RealmId, Role, Username};

/// An account in a list, with its roles.
#[derive(Clone, Debug)]
pub struct Member {
    pub account: Account,
    /// The account's own roles, without those of groups.
    pub roles: Vec<(RealmId, Role)>,
    /// By name.
    pub groups: Vec<Membership>,
    /// Recovery codes are not loaded.
    pub factors: FactorKinds,
    /// The latest activity of all stored sessions.
    pub last_seen: Option<Timestamp>,
    /// From any source. The creation of a personal access token does not count.
    pub last_sign_in: Option<Timestamp>,
}

impl Member {
    /// The highest role in each realm, direct or through a group.
    #[must_use]
    pub fn rights(&self) -> HashMap<RealmId, Role> {
        let via_groups = self.groups.iter().flat_map(|membership| &membership.roles);
        let mut rights = HashMap::new();
        for (realm, role) in self.roles.iter().chain(via_groups) {
            let best = rights.entry(realm.clone()).or_insert(*role);
            *best = (*role).max(*best);
        }
        rights
    }
}

/// A group of the account, with its roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub group: GroupName,
    pub roles: Vec<(RealmId, Role)>,
}

#[derive(Clone, Debug, Default)]
pub struct AccountQuery {
    /// Matches a part of username, display name or e-mail, ignoring case.
    pub search: Option<String>,
    /// `None` for all.
    pub filter: Option<AccountFilter>,
    /// Only names greater than this one.
    pub after: Option<Username>,
    pub limit: u32,
}

/// A filter for lists of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountFilter {
    Active,
    Disabled,
    /// Active and disabled ones.
    Administrators,
    /// Active accounts without a second factor.
    WithoutSecondFactor,
    /// Accounts with a credential that is locked out, at least for unknown sources.
    LockedOut,
    /// Accounts whose password is rejected until a reset link sets a new one.
    MustChangePassword,
}

impl AccountFilter {
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::Disabled,
        Self::Administrators,
        Self::WithoutSecondFactor,
        Self::LockedOut,
        Self::MustChangePassword,
    ];
    /// Consecutive failures that make an account [`LockedOut`](Self::LockedOut).
    pub const LOCKOUT_THRESHOLD: u32 = crate::throttle::MAX_FAILURES;

    /// The word in requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Administrators => "administrators",
            Self::WithoutSecondFactor => "without_second_factor",
            Self::LockedOut => "locked_out",
            Self::MustChangePassword => "reset_required",
        }
    }

    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == raw)
    }
}
