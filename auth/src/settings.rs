//! What the host decides: lifetimes, rules and costs. Read once at start; nothing here changes afterwards.

use std::time::Duration;

use crate::{
    Clients, PersonalTokenRules, Role,
    factor::{FactorRules, passkey::PasskeyRules},
    keys::ring::KeyRules,
    password::PasswordRules,
    upstream::UpstreamSettings,
};

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
