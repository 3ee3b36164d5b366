//! The person's side of RFC 8628: type the code, look at what asks, decide.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;

use super::{State, TRIES, UserCode, DeviceGrant, read, write};
use crate::{
    Auth, AuthError, AuthStore, Caller, Decision, Scopes, Origin, TokenHash, TokenKind,
    audit::{Deed, AuditDetail},
    clock,
    delegating::Consent,
    guessing::{CredentialKind, Attempt},
    store::{OneTimeToken, OneTimeKind},
};

/// RFC 8628 §5.1: with 34.5 bits, five guesses leave one chance in 2^32.
const GUESSES: usize = 5;
const GUESSES_WITHIN: Duration = Duration::from_mins(15);
/// The body of a slip that counts a guess.
const ATTEMPT_MARKER: &str = "guess";

/// What a person sees before they decide (RFC 8628 §5.4).
#[derive(Clone, Debug)]
pub struct PendingDevice {
    /// Names this request, so that what is decided is what was seen.
    pub id: String,
    pub user_code: UserCode,
    pub program: String,
    pub grants: Scopes,
    /// Where the device asked from.
    pub address: IpAddr,
    pub user_agent: Option<String>,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
}

impl<S: AuthStore> Auth<S> {
    /// From here on, only this account decides about the code.
    ///
    /// # Errors
    /// [`AuthError::NoSuchDevice`], also for a code that somebody else has typed; [`AuthError::Throttled`] after five
    /// wrong ones.
    pub async fn lookup_user_code(
        &self,
        caller: &Caller,
        typed: &str,
        from: &Origin,
    ) -> Result<PendingDevice, AuthError> {
        let me = caller.account().username.as_str();
        let (code, hash) = self.resolve_user_code(caller, typed, from).await?;
        for _ in 0..TRIES {
            let (slip, waiting) = self.undecided(&hash).await?;
            match &waiting.claimed_by {
                Some(name) if name == me => return Ok(self.request(code, &hash, waiting)),
                Some(_) => return Err(AuthError::NoSuchDevice),
                None => {}
            }
            let claimed = DeviceGrant {
                claimed_by: Some(me.to_owned()),
                ..waiting
            };
            if self
                .0
                .store
                .compare_and_swap_token(&slip, write(&claimed)?, self.0.clock.now())
                .await?
            {
                return Ok(self.request(code, &hash, claimed));
            }
        }
        Err(AuthError::Internal("a device could not be claimed"))
    }

    /// Decides about what [`look_at_device`](Self::look_at_device) showed to the same account, once.
    ///
    /// # Errors
    /// [`AuthError::NoSuchDevice`] for anything else; [`DelegationRefused::Beyond`](crate::DelegationRefused).
    #[expect(
        clippy::too_many_arguments,
        reason = "who, what they saw and say, and whence"
    )]
    pub async fn decide_device(
        &self,
        caller: &Caller,
        typed: &str,
        seen: &str,
        decision: Decision,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let (code, hash) = self.resolve_user_code(caller, typed, from).await?;
        for _ in 0..TRIES {
            let (slip, waiting) = self.undecided(&hash).await?;
            let mine = waiting.claimed_by.as_deref() == Some(caller.account().username.as_str());
            if !mine || id(&hash) != seen {
                return Err(AuthError::NoSuchDevice);
            }
            let (state, deed) = match decision {
                Decision::Approve => {
                    let given = Scopes::parse(&waiting.scope)
                        .map_err(|_| AuthError::Internal("a stored scope"))?;
                    (
                        State::Approved(Consent::from_caller(caller, given)?),
                        Deed::DeviceApproved,
                    )
                }
                Decision::Deny => (State::Denied, Deed::DeviceRefused),
            };
            let now = self.0.clock.now();
            if self
                .0
                .store
                .compare_and_swap_token(
                    &slip,
                    write(&DeviceGrant {
                        state,
                        ..waiting.clone()
                    })?,
                    now,
                )
                .await?
            {
                self.0
                    .store
                    .consume_token(OneTimeKind::UserCode, &code.hash(), now)
                    .await?;
                let told = |detail: AuditDetail| {
                    let detail = detail
                        .with("client", waiting.client)
                        .with("scope", waiting.scope);
                    detail
                        .with("device", waiting.address.to_string())
                        .with("user_agent", waiting.user_agent)
                };
                return self.audit_decision(caller, deed, told).await;
            }
        }
        Err(AuthError::Internal("a device could not be decided about"))
    }

    /// Where a code leads. Counted before it is looked up, so that many at once are no more than many in a row.
    async fn resolve_user_code(
        &self,
        caller: &Caller,
        typed: &str,
        from: &Origin,
    ) -> Result<(UserCode, TokenHash), AuthError> {
        let name = &caller.account().username;
        let pass = self
            .begin_attempt(&Attempt {
                secret: CredentialKind::UserCode,
                account: Some(name),
                from,
            })
            .await?;
        let guess = self.count_attempt(caller).await?;
        let now = self.0.clock.now();
        let found = match UserCode::parse(typed) {
            Some(code) => self
                .0
                .store
                .find_token(OneTimeKind::UserCode, &code.hash(), now)
                .await?
                .map(|slip| (code, slip)),
            None => None,
        };
        let Some((code, slip)) = found.filter(|(_, slip)| slip.body != ATTEMPT_MARKER) else {
            self.failed(pass).await?;
            return Err(AuthError::NoSuchDevice);
        };
        self.0
            .store
            .consume_token(OneTimeKind::UserCode, &guess, now)
            .await?;
        self.succeeded(pass).await?;
        Ok((code, TokenHash::new(&slip.body)))
    }

    async fn count_attempt(&self, caller: &Caller) -> Result<TokenHash, AuthError> {
        let (name, now) = (&caller.account().username, self.0.clock.now());
        let hash = crate::Token::random(TokenKind::Flow, &self.0.rng).hash();
        let guess = OneTimeToken {
            kind: OneTimeKind::UserCode,
            hash: hash.clone(),
            username: Some(name.clone()),
            body: ATTEMPT_MARKER.to_owned(),
            created_at: now,
            expires_at: clock::add(now, GUESSES_WITHIN),
        };
        self.0.store.insert_token(guess).await?;
        let guesses = self
            .0
            .store
            .list_tokens(OneTimeKind::UserCode, Some(name), now)
            .await?;
        if guesses.len() <= GUESSES {
            return Ok(hash);
        }
        // One that was not let through does not lengthen the wait.
        self.0
            .store
            .consume_token(OneTimeKind::UserCode, &hash, now)
            .await?;
        let first = guesses
            .iter()
            .map(|guess| guess.expires_at)
            .min()
            .unwrap_or(now);
        Err(AuthError::Throttled {
            retry_after: clock::since(now, first),
        })
    }

    async fn undecided(&self, hash: &TokenHash) -> Result<(OneTimeToken, DeviceGrant), AuthError> {
        let now = self.0.clock.now();
        let slip = self
            .0
            .store
            .find_token(OneTimeKind::DeviceCode, hash, now)
            .await?
            .ok_or(AuthError::NoSuchDevice)?;
        let waiting = read(&slip)?;
        if matches!(waiting.state, State::Pending) && now < waiting.expires_at {
            return Ok((slip, waiting));
        }
        Err(AuthError::NoSuchDevice)
    }

    fn request(&self, user_code: UserCode, hash: &TokenHash, waiting: DeviceGrant) -> PendingDevice {
        let program = self
            .0
            .settings
            .clients
            .find(&waiting.client)
            .map(|client| client.name().to_owned());
        PendingDevice {
            id: id(hash),
            user_code,
            program: program.unwrap_or(waiting.client),
            grants: Scopes::parse(&waiting.scope).unwrap_or(Scopes::NONE),
            address: waiting.address,
            user_agent: waiting.user_agent,
            asked_at: waiting.began_at,
            expires_at: waiting.expires_at,
        }
    }
}

fn id(hash: &TokenHash) -> String {
    hash.as_str().chars().take(16).collect()
}
