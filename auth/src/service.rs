//! The service, its settings and its actions. One instance per process, cheap to clone.
//!
//! Deliberately absent: the operations, which are methods of the handles in the folders of this
//! crate, and the background tasks (`background`).

use std::{
    fmt,
    sync::{Arc, Mutex, atomic::AtomicI64},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::{
    Account, Action, AuthError, AuthStore, Caller, Clients, Clock, DisplayName, EmailAddress,
    Password, PasswordHash, PersonalTokenRules, Role, Scope, SecureRandom, SessionId, Token,
    Username,
    access::{
        denied::DenialLog,
        permit::{Administrator, GlobalTarget, Initiator, RealmTarget, StepUp},
    },
    accounts::registration::SetupLink,
    factor::{
        FactorRules,
        passkey::{PasskeyRules, RelyingParty},
    },
    keys::{
        master::{MasterKey, Purpose},
        ring::{KeyRing, KeyRules},
        seal::Sealer,
    },
    mail::{OutgoingMail, QUEUE_LIMIT, UnverifiedMailLimit},
    oauth::access_token::AccessTokens,
    password::{PasswordRules, hashing::Hasher, pepper::Peppers},
    session::cache::SessionCache,
    store::KeyPurpose,
    throttle::{Throttle, event_dedup::RateLimitedEvents},
    upstream::{self, UpstreamSettings},
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

/// The input of a registration. It contains no rights, which the server decides.
#[derive(Debug)]
pub struct RegistrationRequest {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    pub password: Password,
}

impl RegistrationRequest {
    /// A request with only the required fields.
    #[must_use]
    pub fn new(username: Username, password: Password) -> Self {
        Self {
            username,
            display_name: None,
            email: None,
            password,
        }
    }
}

/// A successful sign-in.
#[derive(Debug)]
pub struct SignedIn {
    pub caller: Caller,
    /// The refresh token or cookie, by [`SessionKind`](crate::SessionKind).
    pub secret: Token,
}

/// The response of `POST /auth/token` (RFC 6749 §5.1).
#[derive(Debug)]
pub struct TokenResponse {
    pub account: Account,
    /// A JWT (RFC 7519, typ `at+jwt`). Returned once; treat as a secret.
    pub access_token: secrecy::SecretString,
    pub refresh_token: Token,
    pub expires_in: Duration,
    pub scope: String,
}

/// The response of token introspection (RFC 7662 §2.2). `None` from `introspect` stands for an
/// inactive token.
#[derive(Clone, Debug)]
pub struct Introspection {
    pub username: Username,
    pub session: SessionId,
    pub token_type: &'static str,
    pub expires_at: Timestamp,
    pub issued_at: Timestamp,
    pub scope: String,
    pub client: Option<String>,
}

/// The treatment of the other sessions on a password change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherSessions {
    End,
    Keep,
}

/// Administrators change and delete accounts.
#[derive(Debug)]
pub struct ManageAccounts;
impl Action for ManageAccounts {
    const NAME: &'static str = "accounts.manage";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
}

/// Administrators give access to an account: by a reset link, or by removing its second factors.
/// Requires an interactive session, so that a stolen token cannot take over an account.
#[derive(Debug)]
pub struct OpenAccountAccess;
impl Action for OpenAccountAccess {
    const NAME: &'static str = "accounts.let_in";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
    const INITIATOR: Initiator = Initiator::User;
}

/// Administrators list accounts.
#[derive(Debug)]
pub struct ReadAccounts;
impl Action for ReadAccounts {
    const NAME: &'static str = "accounts.see";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
}

/// Managers of a vault, and administrators, change its members' roles.
#[derive(Debug)]
pub struct ManageMembers;
impl Action for ManageMembers {
    const NAME: &'static str = "members.manage";
    type Target = RealmTarget;
    const REQUIRED_ROLE: Role = Role::Manager;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
}

/// Managers of a vault, and administrators, list its members.
#[derive(Debug)]
pub struct ReadMembers;
impl Action for ReadMembers {
    const NAME: &'static str = "members.see";
    type Target = RealmTarget;
    const REQUIRED_ROLE: Role = Role::Manager;
    const SCOPE: Scope = Scope::Administer;
}

/// An account imported from another program.
#[derive(Debug)]
pub struct ImportedAccount {
    pub username: Username,
    pub password: PasswordHash,
    pub administrator: bool,
}

/// The service; see the module documentation.
pub struct Auth<S>(pub(crate) Arc<Service<S>>);

pub(crate) struct Service<S> {
    pub(crate) store: S,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) rng: SecureRandom,
    pub(crate) hasher: Hasher,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) key_ring: KeyRing<S>,
    /// Time of the last reload that was caused by an unknown key id.
    pub(crate) key_refresh: tokio::sync::Mutex<Option<Timestamp>>,
    pub(crate) throttle: Throttle,
    /// Decrypts TOTP secrets.
    pub(crate) factor_sealer: Sealer,
    pub(crate) session_cache: SessionCache,
    /// `None` if passkeys cannot work at the installation's URL.
    pub(crate) relying_party: Option<RelyingParty>,
    /// The setup link, while one is valid.
    pub(crate) setup_link: Mutex<Option<SetupLink>>,
    pub(crate) denials: DenialLog,
    /// Accounts that were notified of a pending second factor, for rate limiting.
    pub(crate) mfa_notices: RateLimitedEvents<Username>,
    /// Cached provider metadata, and the key for the state of sign-ins at providers.
    pub(crate) upstream_metadata: upstream::MetadataCache,
    pub(crate) upstream_sealer: Sealer,
    /// Outgoing mail. The host takes the receiver.
    pub(crate) mail_queue: (
        mpsc::Sender<OutgoingMail>,
        Mutex<Option<mpsc::Receiver<OutgoingMail>>>,
    ),
    pub(crate) unverified_mail_limit: UnverifiedMailLimit,
    /// The last account event that was applied to the cache.
    pub(crate) last_event_seen: AtomicI64,
}

impl<S> Clone for Auth<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Auth<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl<S: AuthStore> Auth<S> {
    /// Opens the service. HKDF derives all keys from `master_key` (see [`crate::keys::master`]).
    ///
    /// # Errors
    /// [`AuthError::Internal`] for a hashing cost below 19 MiB, 2 passes or 1 lane;
    /// [`AuthError::MasterKeyMismatch`].
    pub async fn open(
        store: S,
        settings: Settings,
        master_key: MasterKey,
        clock: Clock,
        rng: SecureRandom,
    ) -> Result<Self, AuthError> {
        let key_ring = KeyRing::new(
            store.clone(),
            &master_key,
            settings.keys,
            clock.clone(),
            rng.clone(),
        )?;
        let access_tokens = AccessTokens::new(key_ring.load().await?, &settings);
        key_ring.claim_master().await?;
        let peppers = Peppers::new(
            &master_key,
            &settings.passwords.peppers,
            &store.keys(KeyPurpose::Peppers).await?,
        )?;
        let hasher = Hasher::new(settings.hashing, peppers, rng.clone())?;
        hasher.profiles().replace_all(&store.hash_samples().await?);
        let relying_party = RelyingParty::new(&settings.issuer, &settings.passkeys.name);
        let factor_sealer = Sealer::new(&master_key, Purpose::Factors)?;
        // Before anything is cached, so that no later event is missed.
        let last_event_seen = AtomicI64::new(store.last_account_event().await?);
        let (mail_sender, mail_receiver) = mpsc::channel(QUEUE_LIMIT);
        Ok(Self(Arc::new(Service {
            store,
            settings,
            clock,
            rng: rng,
            hasher,
            access_tokens,
            key_ring: key_ring,
            key_refresh: tokio::sync::Mutex::default(),
            throttle: Throttle::new(),
            factor_sealer,
            session_cache: SessionCache::new(),
            relying_party,
            setup_link: Mutex::default(),
            denials: DenialLog::default(),
            mfa_notices: RateLimitedEvents::default(),
            upstream_metadata: upstream::MetadataCache::default(),
            upstream_sealer: Sealer::new(&master_key, Purpose::Upstream)?,
            mail_queue: (mail_sender, Mutex::new(Some(mail_receiver))),
            unverified_mail_limit: UnverifiedMailLimit::new(),
            last_event_seen: last_event_seen,
        })))
    }

    /// The settings of the host.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The current time of the service's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Increments when sessions or rights change. Open streams then call `revalidate`.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.session_cache.changes()
    }
}

impl<S> Service<S> {
    /// Drops the account's cached sessions on this node at once. Other nodes read the account-event
    /// log.
    pub(crate) fn invalidate(&self, username: &Username) {
        self.session_cache.invalidate([username]);
    }
}
