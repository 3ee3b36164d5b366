//! Token revocation (RFC 7009).

use crate::{
    Actor, AuthError, AuthStore, OAuth, Origin, Session, SessionKind, Token, TokenKind,
    store::{EndReason, SessionEnd},
    throttle::CredentialKind,
};

impl<S: AuthStore> OAuth<'_, S> {
    /// Revokes an access, refresh or personal token by ending its session (RFC 7009). An unknown
    /// token is no error.
    ///
    /// # Errors
    /// `ThrottleError::Throttled` after too many unknown tokens from that network.
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

    /// The session of a personal access token.
    pub(super) async fn personal_session(
        self,
        token: &Token,
    ) -> Result<Option<Session>, AuthError> {
        let found = self.0.core.store.session_by_cookie(&token.hash()).await?;
        Ok(found.filter(|session| session.kind == SessionKind::Personal))
    }
}
