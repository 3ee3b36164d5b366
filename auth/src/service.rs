//! The service: registering, signing in, and everything that follows from it. One per process, cheap to clone.
//!
//! Here are its shapes and how it opens; how it hears of changes is in `following`, and its verbs are in `registering`,
//! `signing_in`, `refreshing`, `asking`, `own_account` and `administration`.

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

/// What the host decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `iss` of access tokens: the public URL of the installation.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    pub registration: Registration,
    /// What a new account may do in the realm `main`.
    pub default_role: Option<Role>,
    /// At most an hour.
    pub access_lifetime: Duration,
    /// A session not used for so long is over.
    pub idle_timeout: Duration,
    /// A session is over after this, used or not.
    pub absolute_timeout: Duration,
    /// Of one session, with as many at once; `None` for any number.
    pub requests_per_minute: Option<u32>,
    pub hashing: HashingCost,
    pub passwords: PasswordRules,
    pub step_up: StepUpRules,
    pub factors: FactorRules,
    pub upstreams: UpstreamSettings,
    pub personal: PersonalTokenRules,
    pub keys: KeyRules,
    pub passkeys: PasskeyRules,
    /// Programs that may ask people for access.
    pub clients: Clients,
}

impl Settings {
    /// Everything as it is unless somebody decides otherwise.
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

    /// Everybody who comes may have an account, and is this in the realm `main`.
    #[must_use]
    pub fn with_open_registration(self, role: Role) -> Self {
        Self {
            registration: Registration::Open,
            default_role: Some(role),
            ..self
        }
    }
}

/// When a live session is not enough (RFC 9470).
#[derive(Clone, Copy, Debug)]
pub struct StepUpRules {
    /// How long a sign-in is recent.
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

/// What programs need for [`StepUp::OnThePage`](crate::access::permit::StepUp) actions.
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
    /// Only with an invitation.
    Invite,
    Closed,
}

/// What somebody who registers sends. Nothing about rights: those are decided here.
#[derive(Debug)]
pub struct RegistrationRequest {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    pub password: Password,
}

impl RegistrationRequest {
    /// With a name and a password, which is all that one needs.
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

/// A sign-in that succeeded.
#[derive(Debug)]
pub struct SignedIn {
    pub caller: Caller,
    /// The refresh token or the cookie, by [`SessionKind`](crate::SessionKind).
    pub secret: Token,
}

/// What `POST /auth/token` hands out.
#[derive(Debug)]
pub struct TokenResponse {
    pub account: Account,
    /// A JWT (RFC 7519, typ `at+jwt`). Handed out once; treat as a secret.
    pub access_token: secrecy::SecretString,
    pub refresh_token: Token,
    pub expires_in: Duration,
    pub scope: String,
}

/// RFC 7662 §2.2; `None` from [`Auth::introspect`] is `{"active": false}`.
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

/// Whether the other sessions survive a password change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherSessions {
    End,
    Keep,
}

/// Administrators list, change and delete accounts.
#[derive(Debug)]
pub struct ManageAccounts;
impl Action for ManageAccounts {
    const NAME: &'static str = "accounts.manage";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
}

/// Administrators open a way into an account: by a link that sets its password, or by taking its second factors away.
/// Whoever has a token for a while must not get an account for good.
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

/// Administrators look at accounts.
#[derive(Debug)]
pub struct ReadAccounts;
impl Action for ReadAccounts {
    const NAME: &'static str = "accounts.see";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
}

/// Managers of a vault (and administrators) say who may do what in it.
#[derive(Debug)]
pub struct ManageMembers;
impl Action for ManageMembers {
    const NAME: &'static str = "members.manage";
    type Target = RealmTarget;
    const REQUIRED_ROLE: Role = Role::Manager;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
}

/// Managers of a vault (and administrators) look at who may do what in it.
#[derive(Debug)]
pub struct ReadMembers;
impl Action for ReadMembers {
    const NAME: &'static str = "members.see";
    type Target = RealmTarget;
    const REQUIRED_ROLE: Role = Role::Manager;
    const SCOPE: Scope = Scope::Administer;
}

/// An account brought over from elsewhere.
#[derive(Debug)]
pub struct ImportedAccount {
    pub username: Username,
    pub password: PasswordHash,
    pub administrator: bool,
}

/// See the module.
pub struct Auth<S>(pub(crate) Arc<Service<S>>);

pub(crate) struct Service<S> {
    pub(crate) store: S,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) rng: SecureRandom,
    pub(crate) hasher: Hasher,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) key_ring: KeyRing<S>,
    /// When keys were last asked for because a token named an unknown one.
    pub(crate) key_refresh: tokio::sync::Mutex<Option<Timestamp>>,
    pub(crate) throttle: Throttle,
    /// Opens the secrets of authenticator apps.
    pub(crate) factor_sealer: Sealer,
    pub(crate) session_cache: SessionCache,
    /// `None` where the installation's address is none where passkeys work.
    pub(crate) relying_party: Option<RelyingParty>,
    /// The first administrator's link, while there is one.
    pub(crate) setup_link: Mutex<Option<SetupLink>>,
    pub(crate) denials: DenialLog,
    /// Whom a letter about a sign-in that is half way went to.
    pub(crate) mfa_notices: RateLimitedEvents<Username>,
    /// What providers said of themselves, and what seals sign-ins that are under way there.
    pub(crate) upstream_metadata: upstream::MetadataCache,
    pub(crate) upstream_sealer: Sealer,
    /// Where letters go in, and where the host takes them out.
    pub(crate) mail_queue: (
        mpsc::Sender<OutgoingMail>,
        Mutex<Option<mpsc::Receiver<OutgoingMail>>>,
    ),
    pub(crate) unverified_mail_limit: UnverifiedMailLimit,
    /// The last account event that the directory has heard of.
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
    /// Purposes are parted from `keys` by HKDF (see [`crate::keys::master`]).
    ///
    /// # Errors
    /// [`AuthError::Internal`] for a hashing cost below 19 MiB, 2 passes, 1 lane; [`AuthError::AnotherMasterKey`].
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
        // Before anything is loaded: whatever happens from here on is heard of.
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

    /// What the host decided.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What its clock says.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Ticks whenever sessions or rights changed: open sockets then ask [`still`](Self::still) again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.session_cache.changes()
    }

    /// What this node wrote about somebody is felt here at once; other nodes read the log.
    pub(crate) fn invalidate(&self, username: &Username) {
        self.0.session_cache.invalidate([username]);
    }
}
