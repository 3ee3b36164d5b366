//! Token introspection (RFC 7662).

use jiff::Timestamp;

use crate::{
    AuthError, AuthStore, Caller, OAuth, Session, SessionId, Token, TokenKind, Username,
    access::policy::AuthVia, error::AccessError, session::authenticate::Activity,
};

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

impl<S: AuthStore> OAuth<'_, S> {
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
            Err(AuthError::Access(AccessError::InvalidToken)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn introspect_refresh(self, token: &Token) -> Result<Option<Introspection>, AuthError> {
        let state = self.0.core.store.session_by_refresh(&token.hash()).await?;
        Ok(state
            .filter(|state| !state.used)
            .map(|state| introspect_session(state.session, "refresh_token")))
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
