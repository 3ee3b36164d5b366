//! Who must have a second factor.

use crate::{Account, Auth, AuthStore, access::permit::Administrator};

#[derive(Clone, Debug)]
pub struct FactorRules {
    pub required: FactorRequirement,
    /// What authenticator apps show above the code.
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

/// Of whom a second factor is asked: a session without one may only set one up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorRequirement {
    Optional,
    Administrators,
    All,
}

impl FactorRequirement {
    /// Whether it is asked of people (`None`) or of administrators.
    #[must_use]
    pub fn applies_to(self, administrator: Option<Administrator>) -> bool {
        match self {
            Self::Optional => false,
            Self::Administrators => administrator.is_some(),
            Self::All => true,
        }
    }
}

impl<S: AuthStore> Auth<S> {
    /// Whether this account can do nothing without a second factor (so that its password does not stand alone).
    #[must_use]
    pub fn enforces_second_factor(&self, account: &Account) -> bool {
        self.0
            .settings
            .factors
            .required
            .applies_to(account.administrator.then_some(Administrator))
    }
}
