//! The device grant (RFC 8628), for devices without a browser.
//!
//! The device shows a user code. The user types it in a signed-in session, reads the request, and
//! approves or denies it. The device polls until then.

mod eviction;
mod user_code;
mod verification;

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use user_code::UserCode;
pub use verification::PendingDevice;

use crate::{
    AuthError, AuthStore, OAuth, OAuthError, Origin, Scopes, SessionId, Token, TokenHash,
    TokenKind, clock,
    error::ThrottleError,
    oauth::{
        client::{CLI_CLIENT_ID, parse_requested_scope},
        consent::{ClientSession, Consent},
        token::TokenResponse,
    },
    store::{
        NetworkPrefix, OneTimeKind, OneTimeToken,
        one_time::{OneTime, StoredToken},
    },
    throttle::CredentialKind,
};

/// Lifetime of a user code.
const CODE_LIFETIME: Duration = Duration::from_mins(10);
/// How long an expired grant is stored, so that the device receives `expired_token`.
const EXPIRED_RETENTION: Duration = Duration::from_mins(10);
/// The polling interval (RFC 8628 §3.2), and its increase after each `slow_down` (§3.5).
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Network jitter that a poll may be early by.
const POLL_TOLERANCE: Duration = Duration::from_millis(500);
/// Pending codes per network.
const MAX_PENDING_PER_NETWORK: usize = 20;
/// Pending codes in all, within what `list_tokens` returns at once. A further request evicts one.
const MAX_PENDING: usize = 1_000;
/// Retries of a compare-and-swap that a parallel write has won.
const MAX_RETRIES: u32 = 8;

/// The device authorization response (RFC 8628 §3.2).
#[derive(Debug)]
pub struct DeviceCodes {
    pub device_code: Token,
    pub user_code: UserCode,
    pub expires_in: Duration,
    pub interval: Duration,
}

/// The stored state of a device grant. The row's key is the hash of the device code.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DeviceGrant {
    client: String,
    scope: String,
    address: IpAddr,
    user_agent: Option<String>,
    /// The hash of the user code.
    user_code: String,
    began_at: Timestamp,
    expires_at: Timestamp,
    interval_ms: u64,
    polled_at: Option<Timestamp>,
    /// The account that typed the code first. Only this account can decide.
    claimed_by: Option<String>,
    state: DeviceGrantState,
}

impl OneTime for DeviceGrant {
    const KIND: OneTimeKind = OneTimeKind::DeviceCode;
    const LIFETIME: Duration = CODE_LIFETIME.saturating_add(EXPIRED_RETENTION);
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeviceGrantState {
    #[serde(rename = "undecided")]
    Pending,
    Denied,
    Approved(Consent),
}

impl<S: AuthStore> OAuth<'_, S> {
    /// Starts a device grant (RFC 8628 §3.1).
    ///
    /// # Errors
    /// [`OAuthError::UnknownClient`], [`OAuthError::InvalidScope`]; `ThrottleError::Throttled` if too
    /// many codes of that network are pending.
    pub async fn device_authorization(
        self,
        client: Option<&str>,
        requested_scope: Option<&str>,
        from: Origin,
    ) -> Result<DeviceCodes, AuthError> {
        let client = self
            .0
            .core
            .settings
            .clients
            .find(client.unwrap_or(CLI_CLIENT_ID))
            .ok_or(OAuthError::UnknownClient)?;
        let scopes = parse_requested_scope(requested_scope)?;
        let now = self.0.core.clock.now();
        // The lock makes counting and inserting one step.
        let _guard = self
            .0
            .sessions
            .cache
            .load_lock(&"device codes")
            .lock()
            .await;
        self.limit_pending(from.address, now).await?;
        let device = Token::random(TokenKind::DeviceCode, &self.0.core.rng);
        let user = self.unused_user_code(now).await?;
        let expires_at = clock::add(now, CODE_LIFETIME);
        let grant = DeviceGrant {
            client: client.id().to_owned(),
            scope: scopes.to_string(),
            address: from.address,
            user_agent: from.user_agent,
            user_code: user.hash().as_str().to_owned(),
            began_at: now,
            expires_at,
            interval_ms: millis(POLL_INTERVAL),
            polled_at: None,
            claimed_by: None,
            state: DeviceGrantState::Pending,
        };
        self.0
            .core
            .one_time()
            .insert(&grant, device.hash(), None, now)
            .await?;
        // Untyped: the body is the hash of the device code, without JSON.
        let user_code = OneTimeToken {
            kind: OneTimeKind::UserCode,
            hash: user.hash(),
            username: None,
            body: device.hash().as_str().to_owned(),
            created_at: now,
            expires_at,
        };
        self.0.core.store.insert_token(user_code).await?;
        Ok(DeviceCodes {
            device_code: device,
            user_code: user,
            expires_in: CODE_LIFETIME,
            interval: POLL_INTERVAL,
        })
    }

    /// Answers one poll (RFC 8628 §3.4). After the approval, exactly one of any number of parallel
    /// polls gets the tokens.
    ///
    /// # Errors
    /// [`OAuthError`], by the error codes of RFC 8628 §3.5.
    pub async fn device_token(
        self,
        code: &str,
        client: Option<&str>,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        let hash = Token::parse(TokenKind::DeviceCode, code)
            .ok_or(OAuthError::InvalidCode)?
            .hash();
        let found = self
            .0
            .throttling()
            .lookup_or_penalize(
                CredentialKind::DeviceCode,
                &from,
                self.load_device_grant(&hash),
            )
            .await?;
        let StoredToken { row, body: grant } = found.ok_or(OAuthError::InvalidCode)?;
        if client.unwrap_or(CLI_CLIENT_ID) != grant.client {
            return Err(OAuthError::InvalidCode.into());
        }
        let now = self.0.core.clock.now();
        if now >= grant.expires_at {
            return Err(OAuthError::ExpiredToken.into());
        }
        self.enforce_interval(&row, &grant, now).await?;
        match grant.state {
            DeviceGrantState::Pending => Err(OAuthError::AuthorizationPending.into()),
            DeviceGrantState::Denied => Err(OAuthError::AccessDenied.into()),
            DeviceGrantState::Approved(_) => self.exchange_device_code(&hash, from).await,
        }
    }

    /// Consumes the grant. Only one of any number of parallel polls succeeds.
    async fn exchange_device_code(
        self,
        hash: &TokenHash,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        let consumed = self.0.core.one_time().consume::<DeviceGrant>(hash).await?;
        let grant = consumed.ok_or(OAuthError::InvalidCode)?.body;
        let DeviceGrantState::Approved(consent) = grant.state else {
            return Err(OAuthError::InvalidCode.into());
        };
        let client_name = self
            .0
            .core
            .settings
            .clients
            .find(&grant.client)
            .ok_or(OAuthError::UnknownClient)?
            .name()
            .to_owned();
        let scopes = Scopes::parse(&grant.scope)
            .map_err(|_| AuthError::Internal("stored scopes could not be parsed"))?;
        let id = SessionId::random(&self.0.core.rng);
        self.start_client_session(ClientSession {
            consent,
            id,
            scopes,
            client: grant.client,
            client_name,
            origin: from,
        })
        .await
    }

    /// RFC 8628 §3.5: each poll that is too early adds five seconds to the interval.
    async fn enforce_interval(
        self,
        row: &OneTimeToken,
        grant: &DeviceGrant,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        let interval = Duration::from_millis(grant.interval_ms);
        let too_soon = grant.polled_at.is_some_and(|last| {
            clock::is_within(last, interval.saturating_sub(POLL_TOLERANCE), now)
        });
        let increase = if too_soon { millis(POLL_INTERVAL) } else { 0 };
        let interval_ms = grant.interval_ms.saturating_add(increase);
        let polled = DeviceGrant {
            polled_at: Some(now),
            interval_ms,
            ..grant.clone()
        };
        // A lost compare-and-swap is ignored: a decision or a parallel poll takes precedence.
        self.0.core.one_time().replace(row, &polled).await?;
        if too_soon {
            Err(OAuthError::SlowDown.into())
        } else {
            Ok(())
        }
    }

    async fn load_device_grant(
        self,
        hash: &TokenHash,
    ) -> Result<Option<StoredToken<DeviceGrant>>, AuthError> {
        self.0.core.one_time().find(hash).await
    }

    /// Bounds the pending codes of each network and of all. If all are too many, the network with the
    /// most loses its oldest code that no user has looked at.
    async fn limit_pending(self, address: IpAddr, now: Timestamp) -> Result<(), AuthError> {
        let stored = self.0.core.one_time().list::<DeviceGrant>(None).await?;
        let stored: Vec<StoredToken<DeviceGrant>> = stored.into_iter().flatten().collect();
        let pending = || {
            stored
                .iter()
                .filter(|stored| now < stored.body.expires_at)
                .map(|stored| &stored.body)
        };
        let is_full = |network: NetworkPrefix| {
            let count = pending().filter(|grant| is_in(grant, network)).count();
            count >= MAX_PENDING_PER_NETWORK * network.shared_by()
        };
        if NetworkPrefix::all_of(address).any(is_full) {
            return Err(too_many_pending());
        }
        if stored.len() < MAX_PENDING {
            return Ok(());
        }
        let evicted = eviction::choose(&stored, now).ok_or_else(too_many_pending)?;
        let code = TokenHash::new(&evicted.body.user_code);
        let store = &self.0.core.store;
        store
            .consume_token(OneTimeKind::UserCode, &code, now)
            .await?;
        store
            .consume_token(OneTimeKind::DeviceCode, &evicted.row.hash, now)
            .await?;
        Ok(())
    }

    /// A random user code that is not in use.
    async fn unused_user_code(self, now: Timestamp) -> Result<UserCode, AuthError> {
        for _ in 0..MAX_RETRIES {
            let code = UserCode::random(&self.0.core.rng);
            if self
                .0
                .core
                .store
                .find_token(OneTimeKind::UserCode, &code.hash(), now)
                .await?
                .is_none()
            {
                return Ok(code);
            }
        }
        Err(AuthError::Internal("no unused user code found"))
    }
}

fn is_in(grant: &DeviceGrant, network: NetworkPrefix) -> bool {
    NetworkPrefix::all_of(grant.address).any(|one| one == network)
}

fn too_many_pending() -> AuthError {
    AuthError::Throttle(ThrottleError::Throttled {
        retry_after: CODE_LIFETIME / 10,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
