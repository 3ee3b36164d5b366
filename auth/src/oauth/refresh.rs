//! What `POST /auth/token` hands out, and what becomes of it: rotated, revoked, looked into.

use std::time::Duration;

use crate::{
    Actor, Auth, AuthError, AuthStore, Caller, Origin, Scopes, SecurityNotice, Session,
    SessionKind, Token, TokenHash, TokenKind,
    access::policy::AuthVia,
    clock,
    oauth::client::CLI_CLIENT_ID,
    service::{Introspection, TokenResponse},
    session::authenticate::Activity,
    store::{EndReason, RefreshRotation, Rotation, SessionEnd},
    throttle::CredentialKind,
};

/// A client that never got our answer may ask again for so long.
const REUSE_GRACE: Duration = Duration::from_secs(10);

impl<S: AuthStore> Auth<S> {
    /// Rotates: the token is used up and its successor handed out (RFC 9700 §4.14.2). A token used before ends its
    /// session, since somebody has a copy.
    ///
    /// `client` is the program that asks (RFC 6749 §6): what was given to one is of no use to another. Our command line
    /// need not say so.
    ///
    /// `scope` is what the access token shall do, if less than all of it; the refresh token keeps all of it
    /// (RFC 6749 §6).
    ///
    /// # Errors
    /// [`AuthError::InvalidGrant`], for whatever reason; [`AuthError::ScopeWidened`], with the token still unused;
    /// [`AuthError::Throttled`].
    pub async fn refresh(
        &self,
        token: &str,
        client: Option<&str>,
        scope: Option<Scopes>,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        // What no token can look like is no try of one.
        let old = Token::parse(TokenKind::Refresh, token)
            .ok_or(AuthError::InvalidGrant)?
            .hash();
        let session = self
            .lookup_or_penalize(CredentialKind::Refresh, &from, self.usable_session(&old))
            .await?;
        let session = session.ok_or(AuthError::InvalidGrant)?;
        if session
            .client
            .as_deref()
            .is_some_and(|theirs| theirs != client.unwrap_or(CLI_CLIENT_ID))
        {
            // It stays good for whose it is.
            self.penalize(CredentialKind::Refresh, &from, Some(&session.username))
                .await?;
            return Err(AuthError::InvalidGrant);
        }
        if scope.is_some_and(|scope| !scope.is_subset(session.scopes)) {
            return Err(AuthError::ScopeWidened);
        }
        let (new, now) = (
            Token::random(TokenKind::Refresh, &self.0.rng),
            self.0.clock.now(),
        );
        let rotation = RefreshRotation {
            old,
            new: new.hash(),
            at: now,
            idle_since: clock::sub(now, self.0.settings.idle_timeout),
            grace_since: clock::sub(now, REUSE_GRACE),
        };
        match self.0.store.rotate_refresh(rotation).await? {
            Rotation::Rotated(session) | Rotation::Retried(session) => {
                let session_ref = (session.username, session.id);
                let caller = self
                    .load_caller(session_ref, AuthVia::Bearer, Activity::Unmetered)
                    .await
                    .map_err(to_grant_error)?;
                self.token_response(&caller.narrowed_to(scope.unwrap_or(Scopes::ALL)), new)
            }
            Rotation::Replayed(session) => {
                self.report_replay(&session, from).await?;
                Err(AuthError::InvalidGrant)
            }
            // It has ended since it was looked up.
            Rotation::Invalid => Err(AuthError::InvalidGrant),
        }
    }

    /// The session that a token may still do something about, be it that it ends as one that was used before.
    async fn usable_session(&self, token: &TokenHash) -> Result<Option<Session>, AuthError> {
        let (state, now) = (
            self.0.store.session_by_refresh(token).await?,
            self.0.clock.now(),
        );
        let idle_since = clock::sub(now, self.0.settings.idle_timeout);
        let is_usable =
            |session: &Session| now < session.expires_at && idle_since <= session.last_seen;
        Ok(state.map(|state| state.session).filter(is_usable))
    }

    /// RFC 7009: an access, refresh or personal token ends its session; anything else does nothing. Never says which.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] where too many were tried from there that are nobody's.
    pub async fn revoke(&self, token: &str, from: &Origin) -> Result<(), AuthError> {
        let now = self.0.clock.now();
        let session_ref = if let Some(token) = Token::parse(TokenKind::Refresh, token) {
            let hash = token.hash();
            let look_up = async { Ok(self.0.store.session_by_refresh(&hash).await?) };
            let state = self
                .lookup_or_penalize(CredentialKind::Refresh, from, look_up)
                .await?;
            state.map(|state| (state.session.username, state.session.id))
        } else if let Some(token) = Token::parse(TokenKind::Personal, token) {
            let session = self
                .lookup_or_penalize(
                    CredentialKind::Personal,
                    from,
                    self.personal_session(&token),
                )
                .await?;
            session.map(|session| (session.username, session.id))
        } else {
            self.verify_access_token(token)
                .await?
                .map(|claims| (claims.username, claims.session))
        };
        if let Some((username, id)) = session_ref {
            let by = Actor::new(username.clone()).with_origin(from);
            self.0
                .store
                .end_session(
                    &username,
                    &id,
                    SessionEnd {
                        reason: EndReason::Revoked,
                        by,
                        at: now,
                    },
                )
                .await?;
            self.invalidate(&username);
        }
        Ok(())
    }

    /// RFC 7662. People see their own tokens, administrators everybody's; any other is `None`, as a dead one is.
    pub async fn introspect(
        &self,
        by: &Caller,
        token: &str,
    ) -> Result<Option<Introspection>, AuthError> {
        let found = if let Some(token) = Token::parse(TokenKind::Refresh, token) {
            self.introspect_refresh(&token).await?
        } else if let Some(token) = Token::parse(TokenKind::Personal, token) {
            self.personal_session(&token)
                .await?
                .map(|session| introspect_session(session, "Bearer"))
        } else {
            self.introspect_access(token).await?
        };
        let Some(found) = found else { return Ok(None) };
        if found.username != by.account().username && !by.may_administer() {
            return Ok(None);
        }
        match self
            .load_caller(
                (found.username.clone(), found.session.clone()),
                AuthVia::Bearer,
                Activity::Ignored,
            )
            .await
        {
            Ok(_) => Ok(Some(found)),
            Err(AuthError::InvalidToken) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn token_response(
        &self,
        caller: &Caller,
        refresh: Token,
    ) -> Result<TokenResponse, AuthError> {
        let issued =
            self.0
                .access_tokens
                .issue(caller.session(), self.0.clock.now(), &self.0.rng)?;
        Ok(TokenResponse {
            account: caller.account().clone(),
            access_token: issued.token,
            refresh_token: refresh,
            expires_in: issued.expires_in,
            scope: caller.session().scopes.to_string(),
        })
    }

    /// The store has ended the session; here it is felt and reported.
    async fn report_replay(&self, session: &Session, from: Origin) -> Result<(), AuthError> {
        self.invalidate(&session.username);
        tracing::warn!(
            username = %session.username, session.id = %session.id, address = %from.address,
            "a refresh token was used twice: its session was ended",
        );
        match self.0.store.member(&session.username).await? {
            Some(owner) => {
                self.audit_and_notify(&owner.account, SecurityNotice::TokenReplayed, &from)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn introspect_refresh(&self, token: &Token) -> Result<Option<Introspection>, AuthError> {
        let state = self.0.store.session_by_refresh(&token.hash()).await?;
        Ok(state
            .filter(|state| !state.used)
            .map(|state| introspect_session(state.session, "refresh_token")))
    }

    async fn personal_session(&self, token: &Token) -> Result<Option<Session>, AuthError> {
        let found = self.0.store.session_by_cookie(&token.hash()).await?;
        Ok(found.filter(|session| session.kind == SessionKind::Personal))
    }

    async fn introspect_access(&self, token: &str) -> Result<Option<Introspection>, AuthError> {
        let Some(claims) = self.verify_access_token(token).await? else {
            return Ok(None);
        };
        let session = self.0.store.session(&claims.session).await?;
        Ok(Some(Introspection {
            username: claims.username,
            session: claims.session,
            token_type: "Bearer",
            expires_at: claims.expires_at,
            issued_at: claims.issued_at,
            scope: claims.scopes.to_string(),
            client: session.and_then(|session| session.client),
        }))
    }
}

/// Of a token that is as good as its session.
fn introspect_session(session: Session, token_type: &'static str) -> Introspection {
    Introspection {
        username: session.username,
        session: session.id,
        token_type,
        expires_at: session.expires_at,
        issued_at: session.auth_time,
        scope: session.scopes.to_string(),
        client: session.client,
    }
}

fn to_grant_error(error: AuthError) -> AuthError {
    match error {
        AuthError::InvalidToken => AuthError::InvalidGrant,
        other => other,
    }
}
