//! Signing a device in that has no browser of its own (RFC 8628): the device shows a code, a person types it where they
//! are signed in, sees what asks, and lets it in or not. The device asks how it went until somebody has decided.

mod deciding;
mod user_code;

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use deciding::PendingDevice;
pub use user_code::UserCode;

use crate::{
    Auth, AuthError, AuthStore, OAuthError, Scopes, Origin, SessionId, Token, TokenHash,
    TokenKind,
    auth::Tokens,
    client::{CLI_CLIENT_ID, parse_requested_scope},
    clock,
    delegating::{Consent, ClientSession},
    guessing::CredentialKind,
    store::{NetworkPrefix, OneTimeToken, OneTimeKind},
};

/// How long somebody has to type the code.
const LIFETIME: Duration = Duration::from_mins(10);
/// For so long afterwards a device hears that it was too late.
const REMEMBERED: Duration = Duration::from_mins(10);
/// How long a device waits between two questions (RFC 8628 §3.2), and what is added for one that doesn't (§3.5).
const INTERVAL: Duration = Duration::from_secs(5);
/// What the network may take off a wait.
const JITTER: Duration = Duration::from_millis(500);
/// Codes of one network that wait at once.
const MOST_OF_ONE_NETWORK: usize = 20;
/// Of all together: as many as the store tells at once. A device that comes then waits for one to expire.
const MOST_OF_ALL: usize = 1_000;
/// How often a slip is read anew when somebody else has written it meanwhile.
const TRIES: u32 = 8;

/// What a device is told (RFC 8628 §3.2).
#[derive(Debug)]
pub struct DeviceCodes {
    pub device: Token,
    pub user: UserCode,
    pub expires_in: Duration,
    pub interval: Duration,
}

/// What is kept of it, under the hash of the device code.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DeviceGrant {
    client: String,
    scope: String,
    address: IpAddr,
    user_agent: Option<String>,
    /// Of the user code.
    user_code: String,
    began_at: Timestamp,
    expires_at: Timestamp,
    interval_ms: u64,
    polled_at: Option<Timestamp>,
    /// Who typed the code first: nobody else decides.
    claimed_by: Option<String>,
    state: State,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Pending,
    Denied,
    Approved(Consent),
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`DelegationRefused::Client`], [`DelegationRefused::Scope`]; [`AuthError::Throttled`] where too many codes of
    /// that address wait.
    pub async fn device_authorization(
        &self,
        client: Option<&str>,
        asked: Option<&str>,
        from: Origin,
    ) -> Result<DeviceCodes, AuthError> {
        let client = self
            .0
            .settings
            .clients
            .find(client.unwrap_or(CLI_CLIENT_ID))
            .ok_or(OAuthError::Client)?;
        let grants = parse_requested_scope(asked)?;
        let now = self.0.clock.now();
        // Counted and kept by one at a time.
        let _one_begins = self.0.session_cache.load_lock(&"device codes").lock().await;
        self.limit_pending(from.address, now).await?;
        let device = Token::random(TokenKind::DeviceCode, &self.0.rng);
        let user = self.fresh_user_code(now).await?;
        let expires_at = clock::add(now, LIFETIME);
        let waiting = DeviceGrant {
            client: client.id().to_owned(),
            scope: grants.to_string(),
            address: from.address,
            user_agent: from.user_agent,
            user_code: user.hash().as_str().to_owned(),
            began_at: now,
            expires_at,
            interval_ms: millis(INTERVAL),
            polled_at: None,
            claimed_by: None,
            state: State::Pending,
        };
        let slip = |kind, hash, body, expires_at| OneTimeToken {
            kind,
            hash,
            username: None,
            body,
            created_at: now,
            expires_at,
        };
        let until = clock::add(expires_at, REMEMBERED);
        self.0
            .store
            .insert_token(slip(
                OneTimeKind::DeviceCode,
                device.hash(),
                write(&waiting)?,
                until,
            ))
            .await?;
        let leads_to = device.hash().as_str().to_owned();
        self.0
            .store
            .insert_token(slip(OneTimeKind::UserCode, user.hash(), leads_to, expires_at))
            .await?;
        Ok(DeviceCodes {
            device,
            user,
            expires_in: LIFETIME,
            interval: INTERVAL,
        })
    }

    /// One of any number of polls gets the tokens, once somebody has approved.
    ///
    /// # Errors
    /// [`DelegationRefused`], as RFC 8628 §3.5 names them.
    pub async fn device_token(
        &self,
        code: &str,
        client: Option<&str>,
        from: Origin,
    ) -> Result<Tokens, AuthError> {
        let hash = Token::parse(TokenKind::DeviceCode, code)
            .ok_or(OAuthError::InvalidCode)?
            .hash();
        let found = self
            .lookup_or_penalize(CredentialKind::DeviceCode, &from, self.load_device_grant(&hash))
            .await?;
        let (slip, waiting) = found.ok_or(OAuthError::InvalidCode)?;
        if client.unwrap_or(CLI_CLIENT_ID) != waiting.client {
            return Err(OAuthError::InvalidCode.into());
        }
        let now = self.0.clock.now();
        if now >= waiting.expires_at {
            return Err(OAuthError::Expired.into());
        }
        self.enforce_interval(&slip, &waiting, now).await?;
        match waiting.state {
            State::Pending => Err(OAuthError::Pending.into()),
            State::Denied => Err(OAuthError::Denied.into()),
            State::Approved(_) => self.redeem_device(&hash, from).await,
        }
    }

    /// The slip is taken: of any number of polls at once, one gets here with it.
    async fn redeem_device(&self, hash: &TokenHash, from: Origin) -> Result<Tokens, AuthError> {
        let slip = self
            .0
            .store
            .consume_token(OneTimeKind::DeviceCode, hash, self.0.clock.now())
            .await?;
        let waiting = read(&slip.ok_or(OAuthError::InvalidCode)?)?;
        let State::Approved(approval) = waiting.state else {
            return Err(OAuthError::InvalidCode.into());
        };
        let name = self
            .0
            .settings
            .clients
            .find(&waiting.client)
            .ok_or(OAuthError::Client)?
            .name()
            .to_owned();
        let grants =
            Scopes::parse(&waiting.scope).map_err(|_| AuthError::Internal("a stored scope"))?;
        let id = SessionId::random(&self.0.rng);
        self.start_client_session(ClientSession {
            approval,
            id,
            grants,
            client: waiting.client,
            program: name,
            from,
        })
        .await
    }

    /// RFC 8628 §3.5: who asks too soon waits five seconds longer, from then on.
    async fn enforce_interval(
        &self,
        slip: &OneTimeToken,
        waiting: &DeviceGrant,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        let interval = Duration::from_millis(waiting.interval_ms);
        let too_soon = waiting
            .polled_at
            .is_some_and(|last| clock::since(last, now) + JITTER < interval);
        let more = if too_soon { millis(INTERVAL) } else { 0 };
        let interval_ms = waiting.interval_ms.saturating_add(more);
        let body = write(&DeviceGrant {
            polled_at: Some(now),
            interval_ms,
            ..waiting.clone()
        })?;
        // Where somebody has decided meanwhile, or polls at the same time, that stands instead.
        self.0.store.compare_and_swap_token(slip, body, now).await?;
        if too_soon {
            Err(OAuthError::SlowDown.into())
        } else {
            Ok(())
        }
    }

    async fn load_device_grant(&self, hash: &TokenHash) -> Result<Option<(OneTimeToken, DeviceGrant)>, AuthError> {
        let slip = self
            .0
            .store
            .find_token(OneTimeKind::DeviceCode, hash, self.0.clock.now())
            .await?;
        slip.map(|slip| read(&slip).map(|waiting| (slip, waiting)))
            .transpose()
    }

    async fn limit_pending(&self, address: IpAddr, now: Timestamp) -> Result<(), AuthError> {
        let slips = self.0.store.list_tokens(OneTimeKind::DeviceCode, None, now).await?;
        let waiting = slips
            .iter()
            .filter_map(|slip| read(slip).ok())
            .filter(|waiting| now < waiting.expires_at);
        let addresses: Vec<IpAddr> = waiting.map(|waiting| waiting.address).collect();
        let is_full = |network: NetworkPrefix| {
            let theirs = addresses
                .iter()
                .filter(|theirs| NetworkPrefix::all_of(**theirs).any(|it| it == network));
            theirs.count() >= MOST_OF_ONE_NETWORK * network.shared_by()
        };
        if slips.len() < MOST_OF_ALL && !NetworkPrefix::all_of(address).any(is_full) {
            return Ok(());
        }
        Err(AuthError::Throttled {
            retry_after: LIFETIME / 10,
        })
    }

    /// One that leads nowhere yet.
    async fn fresh_user_code(&self, now: Timestamp) -> Result<UserCode, AuthError> {
        for _ in 0..TRIES {
            let code = UserCode::random(&self.0.rng);
            if self
                .0
                .store
                .find_token(OneTimeKind::UserCode, &code.hash(), now)
                .await?
                .is_none()
            {
                return Ok(code);
            }
        }
        Err(AuthError::Internal("no user code is free"))
    }
}

fn write(waiting: &DeviceGrant) -> Result<String, AuthError> {
    serde_json::to_string(waiting).map_err(|_| AuthError::Internal("a device cannot be written"))
}

fn read(slip: &OneTimeToken) -> Result<DeviceGrant, AuthError> {
    serde_json::from_str(&slip.body).map_err(|_| AuthError::Internal("a stored device"))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
