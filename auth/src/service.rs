//! The service: what an open installation holds. One instance per process, cheap to clone.
//!
//! Deliberately absent: the operations, which are methods of the handles (`handles.rs`), and the
//! background tasks (`background.rs`).

use std::{
    fmt,
    sync::{Arc, Mutex, atomic::AtomicI64},
};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::{
    AuthError, AuthStore, Clock, SecureRandom, Username,
    access::denial_log::DenialLog,
    accounts::setup_link::SetupLink,
    factor::passkey::RelyingParty,
    keys::{
        master::{MasterKey, Purpose},
        ring::KeyRing,
        seal::Sealer,
    },
    mail::{OutgoingMail, PendingMfaNotices, QUEUE_LIMIT, UnverifiedMailLimit},
    oauth::access_token::AccessTokens,
    password::{hashing::Hasher, pepper::Peppers},
    session::cache::SessionCache,
    settings::Settings,
    store::{KeyPurpose, one_time::OneTimeTokens},
    throttle::{Throttle, event_dedup::RateLimitedEvents},
    upstream::MetadataCache,
};

/// The service; see the module documentation.
pub struct Auth<S>(pub(crate) Arc<Service<S>>);

pub(crate) struct Service<S> {
    pub(crate) core: Core<S>,
    pub(crate) sessions: SessionState<S>,
    pub(crate) hasher: Hasher,
    pub(crate) throttle: Throttle,
    pub(crate) factors: FactorState,
    pub(crate) upstream: UpstreamState,
    pub(crate) mail: MailState,
    pub(crate) denials: DenialLog,
    /// The setup link, while one is valid.
    pub(crate) setup_link: Mutex<Option<SetupLink>>,
}

/// What every flow needs.
pub(crate) struct Core<S> {
    pub(crate) store: S,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) rng: SecureRandom,
}

impl<S> Core<S> {
    pub(crate) fn one_time(&self) -> OneTimeTokens<'_, S> {
        OneTimeTokens {
            store: &self.store,
            clock: &self.clock,
        }
    }
}

/// Live sessions, and the keys that sign their access tokens.
pub(crate) struct SessionState<S> {
    pub(crate) cache: SessionCache,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) key_ring: KeyRing<S>,
    /// Time of the last reload that was caused by an unknown key id.
    pub(crate) key_refresh: tokio::sync::Mutex<Option<Timestamp>>,
    /// The last account event that was applied to the cache.
    pub(crate) last_event_seen: AtomicI64,
}

pub(crate) struct FactorState {
    /// Decrypts TOTP secrets.
    pub(crate) sealer: Sealer,
    /// `None` if passkeys cannot work at the installation's URL.
    pub(crate) relying_party: Option<RelyingParty>,
}

/// Cached provider metadata, and the key for the state of sign-ins at providers.
pub(crate) struct UpstreamState {
    pub(crate) metadata: MetadataCache,
    pub(crate) sealer: Sealer,
}

/// Outgoing mail. The host takes the receiver.
pub(crate) struct MailState {
    pub(crate) queue: (
        mpsc::Sender<OutgoingMail>,
        Mutex<Option<mpsc::Receiver<OutgoingMail>>>,
    ),
    pub(crate) unverified_limit: UnverifiedMailLimit,
    /// Accounts that were notified of a pending second factor, for rate limiting.
    pub(crate) mfa_notices: RateLimitedEvents<Username>,
    pub(crate) pending_mfa: PendingMfaNotices,
}

impl<S> Clone for Auth<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Auth<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("settings", &self.0.core.settings)
            .finish_non_exhaustive()
    }
}

impl<S: AuthStore> Auth<S> {
    /// Opens the service. HKDF derives all keys from `master_key` (see [`crate::keys::master`]).
    ///
    /// # Errors
    /// [`AuthError::Internal`] for a hashing cost below 19 MiB, 2 passes or 1 lane;
    /// `KeyError::MasterKeyMismatch`.
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
        let unverified_limit = UnverifiedMailLimit::new(clock.clone());
        let (mail_sender, mail_receiver) = mpsc::channel(QUEUE_LIMIT);
        Ok(Self(Arc::new(Service {
            core: Core {
                store,
                settings,
                clock,
                rng,
            },
            sessions: SessionState {
                cache: SessionCache::new(),
                access_tokens,
                key_ring,
                key_refresh: tokio::sync::Mutex::default(),
                last_event_seen,
            },
            hasher,
            throttle: Throttle::new(),
            factors: FactorState {
                sealer: factor_sealer,
                relying_party,
            },
            upstream: UpstreamState {
                metadata: MetadataCache::default(),
                sealer: Sealer::new(&master_key, Purpose::Upstream)?,
            },
            mail: MailState {
                queue: (mail_sender, Mutex::new(Some(mail_receiver))),
                unverified_limit,
                mfa_notices: RateLimitedEvents::default(),
                pending_mfa: PendingMfaNotices::default(),
            },
            denials: DenialLog::default(),
            setup_link: Mutex::default(),
        })))
    }

    /// The settings of the host.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.core.settings
    }

    /// The current time of the service's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.core.clock.now()
    }

    /// Increments when sessions or rights change. Open streams then call `revalidate`.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.sessions.cache.changes()
    }
}

impl<S> Service<S> {
    /// Drops the account's cached sessions on this node at once. Other nodes read the account-event
    /// log.
    pub(crate) fn invalidate(&self, username: &Username) {
        self.sessions.cache.invalidate([username]);
    }
}
