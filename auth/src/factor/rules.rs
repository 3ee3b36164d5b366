//! The rule that requires a second factor, per installation.

use crate::{Account, AuthStore, Factors, access::permit::Administrator};

#[derive(Clone, Debug)]
pub struct FactorRules {
    pub required: FactorRequirement,
    /// The issuer name that authenticator apps show.
    pub app_name: String,
}

impl Default for FactorRules {
    fn default() -> Self {
        Self {
            required: FactorRequirement::Optional,
            app_name: "Strongroom".to_owned(),
        }
    }
}

/// Accounts that must have a second factor. A session without one can only enroll one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorRequirement {
    Optional,
    Administrators,
    All,
}

impl FactorRequirement {
    /// Whether the rule applies to an ordinary account (`None`) or to an administrator.
    #[must_use]
    pub fn applies_to(self, administrator: Option<Administrator>) -> bool {
        match self {
            Self::Optional => false,
            Self::Administrators => administrator.is_some(),
            Self::All => true,
        }
    }
}

impl<S: AuthStore> Factors<'_, S> {
    /// Whether this account is restricted until it has enrolled a second factor.
    #[must_use]
    pub fn enforces_second_factor(self, account: &Account) -> bool {
        self.0
            .core
            .settings
            .factors
            .required
            .applies_to(account.administrator.then_some(Administrator))
    }
}
