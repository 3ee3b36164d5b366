//! Authenticates access tokens, cookies and tickets, from memory where possible.
//!
//! Cache misses load in a boxed future. It keeps the future of a cached request small, which the
//! middleware layers move several times.

use std::{sync::Arc, time::Duration};

use crate::{
    AccountStatus, AuthError, AuthStore, Caller, Realm, RealmName, Role, Session, SessionId,
    SessionKind, Sessions, Token, TokenHash, TokenKind, Username,
    access::policy::AuthVia,
    clock,
    error::{AccessError, ThrottleError},
    session::cache::{
        CacheEntry, CachedSession, Rights, SecretOwner, SessionRef, TICKET_LIFETIME, Ticket,
    },
    store::EndReason,
};

/// Minimum interval between two writes of a session's last activity.
const TOUCH_INTERVAL: Duration = Duration::from_mins(5);

/// Whether authentication counts as activity of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    Counted,
    /// Counts as activity but is not rate-limited: the action was already performed.
    Unmetered,
    Ignored,
}

impl<S: AuthStore> Sessions<'_, S> {
    /// # Errors
    /// `AccessError::InvalidToken` for a foreign or expired token, or one of an ended session.
    pub async fn authenticate_bearer(self, token: &str) -> Result<Caller, AuthError> {
        let claims = self
            .0
            .keys()
            .verify_access_token(token)
            .await?
            .ok_or(AuthError::Access(AccessError::InvalidToken))?;
        let session_ref = (claims.username, claims.session);
        Ok(self
            .load_caller(session_ref, AuthVia::Bearer, Activity::Counted)
            .await?
            .narrowed_to(claims.scopes))
    }

    /// # Errors
    /// `AccessError::InvalidToken` for an unknown cookie, or one of an ended session.
    pub async fn authenticate_cookie(self, cookie: &str) -> Result<Caller, AuthError> {
        let cookie = Token::parse(TokenKind::Cookie, cookie)
            .ok_or(AuthError::Access(AccessError::InvalidToken))?
            .hash();
        let owner = match self.0.sessions.cache.cookie(&cookie) {
            Some(owner) => owner,
            None => Box::pin(self.resolve_secret(cookie, SessionKind::Web)).await?,
        };
        match owner {
            SecretOwner::Session(session_ref) => {
                self.load_caller(session_ref, AuthVia::Cookie, Activity::Counted)
                    .await
            }
            SecretOwner::None => Err(AuthError::Access(AccessError::InvalidToken)),
        }
    }

    /// Whether an administrator has ended the session of this cookie. Only its owner has the cookie.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn was_ended_by_administrator(self, cookie: &str) -> Result<bool, AuthError> {
        let Some(cookie) = Token::parse(TokenKind::Cookie, cookie) else {
            return Ok(false);
        };
        let reason = self
            .0
            .core
            .store
            .end_reason_of_cookie(&cookie.hash())
            .await?;
        Ok(reason == Some(EndReason::EndedByAdministrator))
    }

    /// Consumes the ticket, so that it works once.
    ///
    /// # Errors
    /// `AccessError::InvalidToken` for a ticket that is unknown, used, or older than 30 s.
    pub async fn authenticate_ticket(self, ticket: &str) -> Result<Caller, AuthError> {
        let ticket = Token::parse(TokenKind::Ticket, ticket)
            .ok_or(AuthError::Access(AccessError::InvalidToken))?
            .hash();
        let ticket = self
            .0
            .sessions
            .cache
            .consume_ticket(&ticket, self.0.core.clock.now())
            .ok_or(AuthError::Access(AccessError::InvalidToken))?;
        Ok(self
            .load_caller(ticket.session, AuthVia::Ticket, Activity::Counted)
            .await?
            .narrowed_to(ticket.scopes))
    }

    /// Issues a single-use ticket for a WebSocket, valid for 30 s.
    pub fn issue_ticket(self, caller: &Caller) -> Token {
        let (ticket, now) = (
            Token::random(TokenKind::Ticket, &self.0.core.rng),
            self.0.core.clock.now(),
        );
        let (scopes, expires_at) = (caller.session().scopes, clock::add(now, TICKET_LIFETIME));
        self.0.sessions.cache.insert_ticket(
            ticket.hash(),
            Ticket {
                session: session_ref(caller),
                scopes,
                expires_at,
            },
            now,
        );
        ticket
    }

    /// Loads the caller again with its current rights. Does not count as activity.
    ///
    /// # Errors
    /// `AccessError::InvalidToken` if the session has ended.
    pub async fn revalidate(self, caller: &Caller) -> Result<Caller, AuthError> {
        Ok(self
            .load_caller(session_ref(caller), caller.via(), Activity::Ignored)
            .await?
            .narrowed_to(caller.session().scopes))
    }

    pub async fn realm(self, name: &RealmName) -> Result<Option<Realm>, AuthError> {
        if let Some(realm) = self.0.sessions.cache.realm(name) {
            return Ok(Some(realm));
        }
        Box::pin(self.load_realm(name)).await
    }

    async fn load_realm(self, name: &RealmName) -> Result<Option<Realm>, AuthError> {
        let _guard = self.0.sessions.cache.load_lock(name).lock().await;
        if let Some(realm) = self.0.sessions.cache.realm(name) {
            return Ok(Some(realm));
        }
        Ok(self
            .load_realms()
            .await?
            .into_iter()
            .find(|realm| realm.name == *name))
    }

    /// Realms in which the caller has a role, sorted by name.
    pub async fn realms_of(self, caller: &Caller) -> Result<Vec<(Realm, Role)>, AuthError> {
        let mut realms = self.load_realms().await?;
        realms.sort_by(|a, b| a.name.cmp(&b.name));
        let with_role = |realm: Realm| caller.role_in(&realm.id).map(|role| (realm, role));
        Ok(realms.into_iter().filter_map(with_role).collect())
    }

    async fn load_realms(self) -> Result<Vec<Realm>, AuthError> {
        let realms = self.0.core.store.realms().await?;
        self.0.sessions.cache.replace_realms(&realms);
        Ok(realms)
    }

    pub(crate) async fn load_caller(
        self,
        (username, id): SessionRef,
        via: AuthVia,
        activity: Activity,
    ) -> Result<Caller, AuthError> {
        let (cached, rights) = self.live_session(&username, &id).await?;
        // A session of a client ends once the client is no longer registered.
        if cached
            .session
            .client
            .as_ref()
            .is_some_and(|client| self.0.core.settings.clients.find(client).is_none())
        {
            return Err(AuthError::Access(AccessError::InvalidToken));
        }
        if let (Activity::Counted, Some(per_minute)) =
            (activity, self.0.core.settings.requests_per_minute)
        {
            cached
                .consume_rate(self.0.core.clock.now(), per_minute)
                .map_err(rate_limited)?;
        }
        if activity != Activity::Ignored {
            self.touch(&cached);
        }
        Ok(self.caller_for(rights, Arc::clone(&cached.session), via))
    }

    /// Returns the live session `id` of the active account `username`.
    pub(crate) async fn live_session(
        self,
        username: &Username,
        id: &SessionId,
    ) -> Result<(Arc<CachedSession>, Arc<Rights>), AuthError> {
        let (known, rights) = self.0.sessions.cache.look_up(username, id);
        let (session, rights) = match (self.check_cached(known)?, rights) {
            (Some(session), Some(rights)) => (session, rights),
            _ => Box::pin(self.load_live_session(username, id)).await?,
        };
        if rights.account.status == AccountStatus::Active {
            Ok((session, rights))
        } else {
            Err(AuthError::Access(AccessError::InvalidToken))
        }
    }

    /// Returns the session if it is live. An idle session is loaded again, since another node may
    /// have recorded activity.
    fn check_cached(
        self,
        session: Option<CacheEntry>,
    ) -> Result<Option<Arc<CachedSession>>, AuthError> {
        match session {
            Some(CacheEntry::Ended) => Err(AuthError::Access(AccessError::InvalidToken)),
            Some(CacheEntry::Live(cached))
                if cached.is_live(self.0.core.settings.idle_timeout, self.0.core.clock.now()) =>
            {
                Ok(Some(cached))
            }
            _ => Ok(None),
        }
    }

    async fn load_live_session(
        self,
        username: &Username,
        id: &SessionId,
    ) -> Result<(Arc<CachedSession>, Arc<Rights>), AuthError> {
        let _guard = self.0.sessions.cache.load_lock(username).lock().await;
        let (known, rights) = self.0.sessions.cache.look_up(username, id);
        let session = match self.check_cached(known)? {
            Some(session) => session,
            None => self.load_session(username, id).await?,
        };
        let rights = match rights {
            Some(rights) => rights,
            None => self
                .rights(username)
                .await?
                .ok_or(AuthError::Access(AccessError::InvalidToken))?,
        };
        Ok((session, rights))
    }

    async fn load_session(
        self,
        username: &Username,
        id: &SessionId,
    ) -> Result<Arc<CachedSession>, AuthError> {
        let version = self.0.sessions.cache.version();
        let found = self.0.core.store.session(id).await?;
        let owned =
            found.filter(|session| session.username == *username && session.ended_at.is_none());
        let now = self.0.core.clock.now();
        if owned
            .as_ref()
            .is_some_and(|session| clock::is_ahead(session.last_seen, now))
        {
            self.0.core.store.touch_session(id, now).await?;
        }
        let cached = owned.map(|session| {
            let session = self.bounded(session);
            self.0.sessions.cache.insert_session(version, session)
        });
        match cached {
            Some(cached)
                if cached.is_live(self.0.core.settings.idle_timeout, self.0.core.clock.now()) =>
            {
                Ok(cached)
            }
            _ => {
                self.0
                    .sessions
                    .cache
                    .insert_ended(version, username, id.clone());
                Err(AuthError::Access(AccessError::InvalidToken))
            }
        }
    }

    /// A session that was used while the clock was ahead lives no longer than its longest lifetime
    /// from now.
    fn bounded(self, session: Session) -> Session {
        let settings = &self.0.core.settings;
        let lifetime = match session.kind {
            SessionKind::Personal => settings.personal.max_lifetime,
            SessionKind::OAuth | SessionKind::Web => settings.absolute_timeout,
        };
        let now = self.0.core.clock.now();
        Session {
            last_seen: if clock::is_ahead(session.last_seen, now) {
                now
            } else {
                session.last_seen
            },
            expires_at: session.expires_at.min(clock::add(now, lifetime)),
            ..session
        }
    }

    /// Loads the rights from the store, bypassing the cache.
    pub(crate) async fn rights(
        self,
        username: &Username,
    ) -> Result<Option<Arc<Rights>>, AuthError> {
        let version = self.0.sessions.cache.version();
        let Some(member) = self.0.core.store.member(username).await? else {
            return Ok(None);
        };
        let roles = member.rights();
        let rights = Rights {
            account: member.account,
            roles,
            factors: member.factors,
        };
        Ok(Some(self.0.sessions.cache.insert_rights(version, rights)))
    }

    /// Finds the session of a cookie or personal access token, and caches unknown ones too.
    pub(crate) async fn resolve_secret(
        self,
        secret: TokenHash,
        kind: SessionKind,
    ) -> Result<SecretOwner, AuthError> {
        if let Some(session_ref) = self.lookup_secret(&secret, kind).await? {
            return Ok(SecretOwner::Session(session_ref));
        }
        self.0
            .sessions
            .cache
            .insert_cookie(secret, SecretOwner::None);
        Ok(SecretOwner::None)
    }

    /// As `resolve_secret`, without caching unknown secrets.
    pub(crate) async fn lookup_secret(
        self,
        secret: &TokenHash,
        kind: SessionKind,
    ) -> Result<Option<SessionRef>, AuthError> {
        let _guard = self.0.sessions.cache.load_lock(secret).lock().await;
        match self.0.sessions.cache.cookie(secret) {
            Some(SecretOwner::Session(session_ref)) => return Ok(Some(session_ref)),
            Some(SecretOwner::None) => return Ok(None),
            None => {}
        }
        let found = self
            .0
            .core
            .store
            .session_by_cookie(secret)
            .await?
            .filter(|session| session.kind == kind);
        let Some(Session { username, id, .. }) = found else {
            return Ok(None);
        };
        self.0.sessions.cache.insert_cookie(
            secret.clone(),
            SecretOwner::Session((username.clone(), id.clone())),
        );
        Ok(Some((username, id)))
    }

    /// Writes the activity in the background; the request does not wait for it.
    fn touch(self, cached: &CachedSession) {
        let now = self.0.core.clock.now();
        if !cached.touch(
            now,
            TOUCH_INTERVAL.min(self.0.core.settings.idle_timeout / 4),
        ) {
            return;
        }
        let (store, id) = (self.0.core.store.clone(), cached.session.id.clone());
        tokio::spawn(async move {
            if let Err(error) = store.touch_session(&id, now).await {
                tracing::warn!(session.id = %id, %error, "could not store the last activity of a session");
            }
        });
    }
}

fn rate_limited(retry_after: Duration) -> AuthError {
    metrics::counter!("strongroom_requests_slowed_total").increment(1);
    AuthError::Throttle(ThrottleError::RateLimited { retry_after })
}

fn session_ref(caller: &Caller) -> SessionRef {
    (
        caller.account().username.clone(),
        caller.session().id.clone(),
    )
}
