//! User interaction of the device grant (RFC 8628 §3.3): look up the user code, show the request,
//! approve or deny it.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;

use super::{DeviceGrant, DeviceGrantState, MAX_RETRIES, UserCode};
use crate::{
    AuthError, AuthStore, Caller, Decision, OAuth, Origin, Scopes, TokenHash, TokenKind,
    audit::{AuditAction, AuditDetail},
    clock,
    error::{ThrottleError, TokenError},
    oauth::consent::Consent,
    store::{OneTimeKind, OneTimeToken, one_time::StoredToken},
    throttle::{Attempt, CredentialKind},
};

/// RFC 8628 §5.1: with 34.5 bits, five attempts succeed with a probability of 1 in 2^32.
const MAX_ATTEMPTS: usize = 5;
const ATTEMPT_WINDOW: Duration = Duration::from_mins(15);
/// The body of a `UserCode` token that counts an attempt. The bodies of this kind are no JSON, so
/// they are stored without [`OneTime`](crate::store::one_time::OneTime).
const ATTEMPT_MARKER: &str = "guess";

/// The request as the user sees it before deciding (RFC 8628 §5.4).
#[derive(Clone, Debug)]
pub struct PendingDevice {
    /// Identifies this request, so that the decision applies to the request that was shown.
    pub id: String,
    pub user_code: UserCode,
    pub client_name: String,
    pub scopes: Scopes,
    /// The device's address.
    pub address: IpAddr,
    pub user_agent: Option<String>,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
}

impl<S: AuthStore> OAuth<'_, S> {
    /// Looks up a user code. From here on, only this account can decide.
    ///
    /// # Errors
    /// `TokenError::NoSuchDevice`, also for a code that another account has claimed;
    /// `ThrottleError::Throttled` after five wrong codes.
    pub async fn lookup_user_code(
        self,
        caller: &Caller,
        input: &str,
        from: &Origin,
    ) -> Result<PendingDevice, AuthError> {
        let me = caller.account().username.as_str();
        let (code, hash) = self.resolve_user_code(caller, input, from).await?;
        for _ in 0..MAX_RETRIES {
            let StoredToken { row, body: grant } = self.pending_grant(&hash).await?;
            match &grant.claimed_by {
                Some(name) if name == me => return Ok(self.pending_device(code, &hash, grant)),
                Some(_) => return Err(AuthError::Token(TokenError::NoSuchDevice)),
                None => {}
            }
            let claimed = DeviceGrant {
                claimed_by: Some(me.to_owned()),
                ..grant
            };
            if self.0.core.one_time().replace(&row, &claimed).await? {
                return Ok(self.pending_device(code, &hash, claimed));
            }
        }
        Err(AuthError::Internal("device grant could not be claimed"))
    }

    /// Decides on the request that `lookup_user_code` showed to the same account, once.
    ///
    /// # Errors
    /// `TokenError::NoSuchDevice` for any other request;
    /// [`OAuthError::ScopeExceedsCaller`](crate::OAuthError).
    #[expect(
        clippy::too_many_arguments,
        reason = "caller, code, request id, decision and origin"
    )]
    pub async fn decide_device(
        self,
        caller: &Caller,
        input: &str,
        expected_id: &str,
        decision: Decision,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let (code, hash) = self.resolve_user_code(caller, input, from).await?;
        for _ in 0..MAX_RETRIES {
            let StoredToken { row, body: grant } = self.pending_grant(&hash).await?;
            let is_claimed =
                grant.claimed_by.as_deref() == Some(caller.account().username.as_str());
            if !is_claimed || request_id(&hash) != expected_id {
                return Err(AuthError::Token(TokenError::NoSuchDevice));
            }
            let (state, action) = match decision {
                Decision::Approve => {
                    let scopes = Scopes::parse(&grant.scope)
                        .map_err(|_| AuthError::Internal("stored scopes could not be parsed"))?;
                    (
                        DeviceGrantState::Approved(Consent::from_caller(caller, scopes)?),
                        AuditAction::DeviceApproved,
                    )
                }
                Decision::Deny => (DeviceGrantState::Denied, AuditAction::DeviceDenied),
            };
            let decided = DeviceGrant {
                state,
                ..grant.clone()
            };
            if self.0.core.one_time().replace(&row, &decided).await? {
                let now = self.0.core.clock.now();
                self.0
                    .core
                    .store
                    .consume_token(OneTimeKind::UserCode, &code.hash(), now)
                    .await?;
                let add_detail = |detail: AuditDetail| {
                    let detail = detail
                        .with("client", grant.client)
                        .with("scope", grant.scope);
                    detail
                        .with("device", grant.address.to_string())
                        .with("user_agent", grant.user_agent)
                };
                return self.audit_decision(caller, action, add_detail).await;
            }
        }
        Err(AuthError::Internal("device decision could not be stored"))
    }

    /// Resolves a user code to its device code. The attempt is counted before the look-up, so that
    /// parallel attempts have no advantage over sequential ones.
    async fn resolve_user_code(
        self,
        caller: &Caller,
        input: &str,
        from: &Origin,
    ) -> Result<(UserCode, TokenHash), AuthError> {
        let name = &caller.account().username;
        let guard = self
            .0
            .throttling()
            .begin_attempt(&Attempt {
                kind: CredentialKind::UserCode,
                account: Some(name),
                from,
            })
            .await?;
        let attempt = self.count_attempt(caller).await?;
        let now = self.0.core.clock.now();
        let found = match UserCode::parse(input) {
            Some(code) => self
                .0
                .core
                .store
                .find_token(OneTimeKind::UserCode, &code.hash(), now)
                .await?
                .map(|one_time| (code, one_time)),
            None => None,
        };
        let Some((code, one_time)) = found.filter(|(_, one_time)| one_time.body != ATTEMPT_MARKER)
        else {
            self.0.throttling().failed(guard).await?;
            return Err(AuthError::Token(TokenError::NoSuchDevice));
        };
        self.0
            .core
            .store
            .consume_token(OneTimeKind::UserCode, &attempt, now)
            .await?;
        self.0.throttling().succeeded(guard).await?;
        Ok((code, TokenHash::new(&one_time.body)))
    }

    async fn count_attempt(self, caller: &Caller) -> Result<TokenHash, AuthError> {
        let (name, now) = (&caller.account().username, self.0.core.clock.now());
        let hash = crate::Token::random(TokenKind::Flow, &self.0.core.rng).hash();
        let attempt = OneTimeToken {
            kind: OneTimeKind::UserCode,
            hash: hash.clone(),
            username: Some(name.clone()),
            body: ATTEMPT_MARKER.to_owned(),
            created_at: now,
            expires_at: clock::add(now, ATTEMPT_WINDOW),
        };
        self.0.core.store.insert_token(attempt).await?;
        let attempts = self
            .0
            .core
            .store
            .list_tokens(OneTimeKind::UserCode, Some(name), now)
            .await?;
        if attempts.len() <= MAX_ATTEMPTS {
            return Ok(hash);
        }
        // A throttled attempt does not extend the wait.
        self.0
            .core
            .store
            .consume_token(OneTimeKind::UserCode, &hash, now)
            .await?;
        let first = attempts
            .iter()
            .map(|attempt| attempt.expires_at)
            .min()
            .unwrap_or(now);
        Err(AuthError::Throttle(ThrottleError::Throttled {
            retry_after: clock::since(now, first),
        }))
    }

    async fn pending_grant(self, hash: &TokenHash) -> Result<StoredToken<DeviceGrant>, AuthError> {
        let stored = self
            .load_device_grant(hash)
            .await?
            .ok_or(AuthError::Token(TokenError::NoSuchDevice))?;
        let is_pending = matches!(stored.body.state, DeviceGrantState::Pending);
        if is_pending && self.0.core.clock.now() < stored.body.expires_at {
            return Ok(stored);
        }
        Err(AuthError::Token(TokenError::NoSuchDevice))
    }

    fn pending_device(
        self,
        user_code: UserCode,
        hash: &TokenHash,
        grant: DeviceGrant,
    ) -> PendingDevice {
        let client_name = self
            .0
            .core
            .settings
            .clients
            .find(&grant.client)
            .map(|client| client.name().to_owned());
        PendingDevice {
            id: request_id(hash),
            user_code,
            client_name: client_name.unwrap_or(grant.client),
            scopes: Scopes::parse(&grant.scope).unwrap_or(Scopes::NONE),
            address: grant.address,
            user_agent: grant.user_agent,
            requested_at: grant.began_at,
            expires_at: grant.expires_at,
        }
    }
}

fn request_id(hash: &TokenHash) -> String {
    hash.as_str().chars().take(16).collect()
}
