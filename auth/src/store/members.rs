//! Lists of accounts, as administrators ask for them.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{Account, FactorKinds, GroupName, RealmId, Role, Username};

/// An account in a list, with its roles.
#[derive(Clone, Debug)]
pub struct Member {
    pub account: Account,
    /// Its own.
    pub roles: Vec<(RealmId, Role)>,
    /// By name.
    pub groups: Vec<Membership>,
    /// Recovery codes are not looked at.
    pub factors: FactorKinds,
    /// The newest sign of life of any session that is remembered.
    pub last_seen: Option<Timestamp>,
    /// From wherever; personal access tokens are none.
    pub last_sign_in: Option<Timestamp>,
}

impl Member {
    /// The greatest role in each realm, its own or through a group.
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

/// A group that an account is in, and what it gives.
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

/// Accounts of one kind, out of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountFilter {
    Active,
    Disabled,
    /// Disabled ones too.
    Administrators,
    /// Active ones.
    WithoutSecondFactor,
    /// Where one of their secrets was tried in vain so often that waiting does not help, at least from somewhere.
    LockedOut,
    /// Whose password is not taken any more until a link has set a new one.
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
    /// Failures in a row that make [`LockedOut`](Self::LockedOut).
    pub const LOCKOUT_THRESHOLD: u32 = crate::throttle::MAX_FAILURES;

    /// As it is asked for.
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
