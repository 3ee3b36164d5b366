//! Refresh token rotation (RFC 6749 §6, RFC 9700 §4.14.2).

use std::time::Duration;

use crate::{
    AuthError, AuthStore, OAuth, Origin, Scopes, SecurityNotice, Session, Token, TokenHash,
    TokenKind,
    access::policy::AuthVia,
    clock,
    error::{AccessError, TokenError},
    oauth::{client::CLI_CLIENT_ID, token::TokenResponse},
    session::authenticate::Activity,
    store::{RefreshRotation, Rotation},
    throttle::CredentialKind,
};

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
    /// `TokenError::InvalidGrant` for every invalid token; `TokenError::ScopeWidened`, with the
    /// token still unused; `ThrottleError::Throttled`.
    pub async fn refresh(
        self,
        token: &str,
        client: Option<&str>,
        scope: Option<Scopes>,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        // Malformed tokens are not counted as attempts.
        let old = Token::parse(TokenKind::Refresh, token)
            .ok_or(AuthError::Token(TokenError::InvalidGrant))?
            .hash();
        let session = self
            .0
            .throttling()
            .lookup_or_penalize(CredentialKind::Refresh, &from, self.usable_session(&old))
            .await?;
        let session = session.ok_or(AuthError::Token(TokenError::InvalidGrant))?;
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
            return Err(AuthError::Token(TokenError::InvalidGrant));
        }
        if scope.is_some_and(|scope| !scope.is_subset(session.scopes)) {
            return Err(AuthError::Token(TokenError::ScopeWidened));
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
                Err(AuthError::Token(TokenError::InvalidGrant))
            }
            // The session has ended since the look-up.
            Rotation::Invalid => Err(AuthError::Token(TokenError::InvalidGrant)),
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
}

fn to_grant_error(error: AuthError) -> AuthError {
    match error {
        AuthError::Access(AccessError::InvalidToken) => AuthError::Token(TokenError::InvalidGrant),
        other => other,
    }
}
