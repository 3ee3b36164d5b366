//! What the host decides: lifetimes, rules and costs. Read once at start; nothing here changes afterwards.

use std::{sync::Arc, time::Duration};

use crate::{
    Clients, MasterKey, Role, SigningAlgorithm,
    model::account::Administrator,
    password::{ContextWord, breach::BreachFilter},
    upstream::UpstreamSettings,
};

const DAY: Duration = Duration::from_hours(24);

/// Settings of the host.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `iss` of access tokens: the public URL of the installation.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    pub registration: Registration,
    /// The role of a new account in the realm `main`.
    pub default_role: Option<Role>,
    /// Lifetime of access tokens, at most one hour.
    pub access_lifetime: Duration,
    /// A session ends after this time without activity.
    pub idle_timeout: Duration,
    /// A session ends after this time, with or without activity.
    pub absolute_timeout: Duration,
    /// Rate limit per session, with a burst of the same size; `None` is unlimited.
    pub requests_per_minute: Option<u32>,
    pub hashing: HashingCost,
    pub passwords: PasswordRules,
    pub step_up: StepUpRules,
    pub factors: FactorRules,
    pub upstreams: UpstreamSettings,
    pub personal: PersonalTokenRules,
    pub keys: KeyRules,
    pub passkeys: PasskeyRules,
    /// Registered OAuth clients.
    pub clients: Clients,
}

impl Settings {
    /// The default settings.
    #[must_use]
    pub fn new(issuer: String, audience: String) -> Self {
        Self {
            issuer,
            audience,
            registration: Registration::Closed,
            default_role: None,
            access_lifetime: Duration::from_mins(30),
            idle_timeout: Duration::from_hours(14 * 24),
            absolute_timeout: Duration::from_hours(90 * 24),
            requests_per_minute: None,
            hashing: HashingCost {
                memory_kib: 64 * 1024,
                passes: 3,
                lanes: 1,
            },
            passwords: PasswordRules::default(),
            step_up: StepUpRules::default(),
            factors: FactorRules::default(),
            upstreams: UpstreamSettings::default(),
            personal: PersonalTokenRules::default(),
            keys: KeyRules::default(),
            passkeys: PasskeyRules::default(),
            clients: Clients::default(),
        }
    }

    /// Allows registration without an invitation; new accounts get this role in the realm `main`.
    #[must_use]
    pub fn with_open_registration(self, role: Role) -> Self {
        Self {
            registration: Registration::Open,
            default_role: Some(role),
            ..self
        }
    }
}

/// Key settings of the host.
#[derive(Clone, Copy, Debug)]
pub struct KeyRules {
    /// `None` keeps the current algorithm; HS256 for the first key.
    pub algorithm: Option<SigningAlgorithm>,
    /// Age at which the signing key is replaced.
    pub rotate_after: Duration,
}

impl Default for KeyRules {
    fn default() -> Self {
        Self {
            algorithm: None,
            rotate_after: Duration::from_hours(90 * 24),
        }
    }
}

/// Second-factor settings of the host.
#[derive(Clone, Debug)]
pub struct FactorRules {
    /// The accounts that must have a second factor.
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

/// Settings of passkeys. They work at the public URL ([`Settings::issuer`](Settings)) if it
/// is https with a host name, or this host. A passkey is bound to that host name permanently.
#[derive(Clone, Debug)]
pub struct PasskeyRules {
    /// The relying party name that browsers show.
    pub name: String,
    /// Passkeys per account.
    pub max_passkeys: usize,
}

impl Default for PasskeyRules {
    fn default() -> Self {
        Self {
            name: "Strongroom".to_owned(),
            max_passkeys: 20,
        }
    }
}

/// Lifetimes of personal access tokens.
#[derive(Clone, Copy, Debug)]
pub struct PersonalTokenRules {
    /// Applies where the request gives no lifetime.
    pub default_lifetime: Duration,
    pub max_lifetime: Duration,
}

impl Default for PersonalTokenRules {
    fn default() -> Self {
        Self {
            default_lifetime: DAY * 90,
            max_lifetime: DAY * 365,
        }
    }
}

/// Password settings of the host.
#[derive(Clone, Debug, Default)]
pub struct PasswordRules {
    /// Breached passwords.
    pub breaches: Option<Arc<BreachFilter>>,
    /// Context words that passwords must not consist of, in addition to the user's data and the
    /// product name.
    pub context_words: Arc<[ContextWord]>,
    /// Peppers that replace the one derived from the master key. The first is current; the others
    /// still verify.
    pub peppers: Arc<[MasterKey]>,
}

/// When an action requires a recent sign-in (RFC 9470).
#[derive(Clone, Copy, Debug)]
pub struct StepUpRules {
    /// Time for which a sign-in counts as recent.
    pub max_age: Duration,
    pub clients: ClientStepUp,
}

impl Default for StepUpRules {
    fn default() -> Self {
        Self {
            max_age: Duration::from_mins(10),
            clients: ClientStepUp::LiveSession,
        }
    }
}

/// The requirement for clients in actions with
/// [`StepUp::BrowserOnly`](crate::access::permit::StepUp).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStepUp {
    LiveSession,
    RecentSignIn,
}

/// Argon2id parameters (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingCost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    Open,
    /// Registration requires an invitation.
    Invite,
    Closed,
}
