//! Refresh token rotation, revocation (RFC 7009) and introspection (RFC 7662) of the tokens of
//! `POST /auth/token`.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    Account, Actor, AuthError, AuthStore, Caller, OAuth, Origin, Scopes, SecurityNotice, Session,
    SessionId, SessionKind, Token, TokenHash, TokenKind, Username,
    access::policy::AuthVia,
    clock,
    oauth::client::CLI_CLIENT_ID,
    session::authenticate::Activity,
    store::{EndReason, RefreshRotation, Rotation, SessionEnd},
    throttle::CredentialKind,
};

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

/// A client that lost our response may retry with the same token for this long.
const REUSE_GRACE: Duration = Duration::from_secs(10);

impl<S: AuthStore> OAuth<'_, S> {
    /// Rotates the refresh token: the old one is used up, and its successor is returned (RFC 9700
    /// §4.14.2). Reuse of an old token ends its session, because the token may have leaked.
    ///
    /// `client` is the requesting client (RFC 6749 §6). It must be the one that the token was
    /// issued to. The default is the command line client.
    ///
    /// `scope` narrows the access token. The refresh token keeps all its scopes (RFC 6749 §6).
    ///
    /// # Errors
    /// [`AuthError::InvalidGrant`] for every invalid token; [`AuthError::ScopeWidened`], with the
    /// token still unused; [`AuthError::Throttled`].
    pub async fn refresh(
        self,
        token: &str,
        client: Option<&str>,
        scope: Option<Scopes>,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        // Malformed tokens are not counted as attempts.
        let old = Token::parse(TokenKind::Refresh, token)
            .ok_or(AuthError::InvalidGrant)?
            .hash();
        let session = self
            .0
            .throttling()
            .lookup_or_penalize(CredentialKind::Refresh, &from, self.usable_session(&old))
            .await?;
        let session = session.ok_or(AuthError::InvalidGrant)?;
        if session
            .client
            .as_deref()
            .is_some_and(|theirs| theirs != client.unwrap_or(CLI_CLIENT_ID))
        {
            // The token stays valid for its own client.
            self.0
                .throttling()
                .penalize(CredentialKind::Refresh, &from, Some(&session.username))
                .await?;
            return Err(AuthError::InvalidGrant);
        }
        if scope.is_some_and(|scope| !scope.is_subset(session.scopes)) {
            return Err(AuthError::ScopeWidened);
        }
        let (new, now) = (
            Token::random(TokenKind::Refresh, &self.0.core.rng),
            self.0.core.clock.now(),
        );
        let rotation = RefreshRotation {
            old,
            new: new.hash(),
            at: now,
            idle_since: clock::sub(now, self.0.core.settings.idle_timeout),
            grace_since: clock::sub(now, REUSE_GRACE),
        };
        match self.0.core.store.rotate_refresh(rotation).await? {
            Rotation::Rotated(session) | Rotation::Retried(session) => {
                let session_ref = (session.username, session.id);
                let caller = self
                    .0
                    .sessions()
                    .load_caller(session_ref, AuthVia::Bearer, Activity::Unmetered)
                    .await
                    .map_err(to_grant_error)?;
                self.token_response(&caller.narrowed_to(scope.unwrap_or(Scopes::ALL)), new)
            }
            Rotation::Replayed(session) => {
                self.report_replay(&session, from).await?;
                Err(AuthError::InvalidGrant)
            }
            // The session has ended since the look-up.
            Rotation::Invalid => Err(AuthError::InvalidGrant),
        }
    }

    /// The live session of a refresh token, also of a used one: its reuse must end the session.
    async fn usable_session(self, token: &TokenHash) -> Result<Option<Session>, AuthError> {
        let (state, now) = (
            self.0.core.store.session_by_refresh(token).await?,
            self.0.core.clock.now(),
        );
        let idle_since = clock::sub(now, self.0.core.settings.idle_timeout);
        let is_usable =
            |session: &Session| now < session.expires_at && idle_since <= session.last_seen;
        Ok(state.map(|state| state.session).filter(is_usable))
    }

    /// Revokes an access, refresh or personal token by ending its session (RFC 7009). An unknown
    /// token is no error.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] after too many unknown tokens from that network.
    pub async fn revoke(self, token: &str, from: &Origin) -> Result<(), AuthError> {
        let now = self.0.core.clock.now();
        let session_ref = if let Some(token) = Token::parse(TokenKind::Refresh, token) {
            let hash = token.hash();
            let look_up = async { Ok(self.0.core.store.session_by_refresh(&hash).await?) };
            let state = self
                .0
                .throttling()
                .lookup_or_penalize(CredentialKind::Refresh, from, look_up)
                .await?;
            state.map(|state| (state.session.username, state.session.id))
        } else if let Some(token) = Token::parse(TokenKind::Personal, token) {
            let session = self
                .0
                .throttling()
                .lookup_or_penalize(
                    CredentialKind::Personal,
                    from,
                    self.personal_session(&token),
                )
                .await?;
            session.map(|session| (session.username, session.id))
        } else {
            self.0
                .keys()
                .verify_access_token(token)
                .await?
                .map(|claims| (claims.username, claims.session))
        };
        if let Some((username, id)) = session_ref {
            let by = Actor::new(username.clone()).with_origin(from);
            self.0
                .core
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
            self.0.invalidate(&username);
        }
        Ok(())
    }

    /// Introspects a token (RFC 7662). Users see their own tokens, administrators all. Every other
    /// token is `None`, as an ended one is.
    pub async fn introspect(
        self,
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
            .0
            .sessions()
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
        self,
        caller: &Caller,
        refresh: Token,
    ) -> Result<TokenResponse, AuthError> {
        let issued = self.0.sessions.access_tokens.issue(
            caller.session(),
            self.0.core.clock.now(),
            &self.0.core.rng,
        )?;
        Ok(TokenResponse {
            account: caller.account().clone(),
            access_token: issued.token,
            refresh_token: refresh,
            expires_in: issued.expires_in,
            scope: caller.session().scopes.to_string(),
        })
    }

    /// Invalidates the cache and reports the reuse. The store has already ended the session.
    async fn report_replay(self, session: &Session, from: Origin) -> Result<(), AuthError> {
        self.0.invalidate(&session.username);
        tracing::warn!(
            username = %session.username, session.id = %session.id, address = %from.address,
            "refresh token was used twice; its session was ended",
        );
        match self.0.core.store.member(&session.username).await? {
            Some(owner) => {
                self.0
                    .mail()
                    .audit_and_notify(&owner.account, SecurityNotice::TokenReplayed, &from)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn introspect_refresh(self, token: &Token) -> Result<Option<Introspection>, AuthError> {
        let state = self.0.core.store.session_by_refresh(&token.hash()).await?;
        Ok(state
            .filter(|state| !state.used)
            .map(|state| introspect_session(state.session, "refresh_token")))
    }

    async fn personal_session(self, token: &Token) -> Result<Option<Session>, AuthError> {
        let found = self.0.core.store.session_by_cookie(&token.hash()).await?;
        Ok(found.filter(|session| session.kind == SessionKind::Personal))
    }

    async fn introspect_access(self, token: &str) -> Result<Option<Introspection>, AuthError> {
        let Some(claims) = self.0.keys().verify_access_token(token).await? else {
            return Ok(None);
        };
        let session = self.0.core.store.session(&claims.session).await?;
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

/// For refresh and personal tokens, which are valid as long as their session.
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
