//! Authorization codes (RFC 6749 §4.1) with PKCE (RFC 7636) for clients that can open a browser
//! (RFC 8252).
//!
//! The user approves on our page. The client exchanges the code for tokens once, within a minute.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    AuthError, AuthStore, Caller, Client, OAuth, OAuthError, Origin, Scopes, SessionId, Token,
    TokenHash, TokenKind,
    audit::{AuditAction, AuditDetail},
    clock,
    error::{AccessError, TokenError},
    oauth::{
        client::parse_requested_scope,
        consent::{ClientSession, Consent},
        pkce::CodeChallenge,
        token::TokenResponse,
    },
    store::{
        EndReason, OneTimeKind,
        one_time::{OneTime, StoredToken},
    },
    throttle::CredentialKind,
};

/// Lifetime of a code (RFC 6749 §4.1.2: at most ten minutes).
const CODE_LIFETIME: Duration = Duration::from_mins(1);
/// How long a used code is stored, so that its reuse is detected.
const REPLAY_RETENTION: Duration = Duration::from_hours(24);

/// A validated authorization request.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    client: Client,
    redirect_uri: String,
    scopes: Scopes,
    challenge: CodeChallenge,
}

/// The code that reaches the client through the browser.
pub type AuthorizationCode = Token;

/// A token request with an authorization code (RFC 6749 §4.1.3).
#[derive(Debug)]
pub struct AuthorizationCodeGrant {
    pub code: SecretString,
    pub client: String,
    pub redirect_uri: String,
    pub verifier: SecretString,
}

/// The stored state of a code. The row's key is the hash of the code.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct CodeBody {
    client: String,
    redirect_uri: String,
    challenge: String,
    scope: String,
    expires_at: Timestamp,
    approval: Consent,
    /// The session that was issued for the code.
    session: Option<String>,
    /// The code was presented again after its use.
    replayed: bool,
    /// The code was presented with a wrong client, redirect URI or verifier. It is no longer valid.
    #[serde(default)]
    burnt: bool,
}

impl OneTime for CodeBody {
    const KIND: OneTimeKind = OneTimeKind::AuthorizationCode;
    const LIFETIME: Duration = REPLAY_RETENTION;
}

impl AuthorizationRequest {
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    #[must_use]
    pub fn grants(&self) -> Scopes {
        self.scopes
    }

    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }
}

impl<'a, S: AuthStore> OAuth<'a, S> {
    /// Finds the client and checks its redirect URI.
    ///
    /// An error here is answered on our own page. A redirect to an unregistered address would be an
    /// open redirect (RFC 6749 §4.1.2.1).
    ///
    /// # Errors
    /// [`OAuthError::UnknownClient`], [`OAuthError::UnregisteredRedirect`].
    pub fn client_for(self, client: &str, redirect_uri: &str) -> Result<&'a Client, OAuthError> {
        let client = self
            .0
            .core
            .settings
            .clients
            .find(client)
            .ok_or(OAuthError::UnknownClient)?;
        if client.allows_redirect(redirect_uri) {
            Ok(client)
        } else {
            Err(OAuthError::UnregisteredRedirect)
        }
    }

    /// Validates the request of a known client. An error here is sent to the client's redirect URI.
    ///
    /// # Errors
    /// [`OAuthError::UnsupportedResponseType`], [`OAuthError::UnsupportedResponseMode`],
    /// [`OAuthError::InvalidScope`], [`OAuthError::PkceRequired`].
    #[expect(
        clippy::too_many_arguments,
        reason = "the parameters of RFC 6749 §4.1.1 and RFC 7636 §4.3"
    )]
    pub fn validate_request(
        self,
        client: &Client,
        redirect_uri: &str,
        (response_type, response_mode): (Option<&str>, Option<&str>),
        requested_scope: Option<&str>,
        (challenge, method): (Option<&str>, Option<&str>),
    ) -> Result<AuthorizationRequest, OAuthError> {
        if response_type != Some("code") {
            return Err(OAuthError::UnsupportedResponseType);
        }
        if response_mode.is_some_and(|mode| mode != "query") {
            return Err(OAuthError::UnsupportedResponseMode);
        }
        let challenge = CodeChallenge::parse(challenge, method).ok_or(OAuthError::PkceRequired)?;
        let scopes = parse_requested_scope(requested_scope)?;
        Ok(AuthorizationRequest {
            client: client.clone(),
            redirect_uri: redirect_uri.to_owned(),
            scopes,
            challenge,
        })
    }

    /// Records the caller's consent and issues a code.
    ///
    /// # Errors
    /// [`OAuthError::ScopeExceedsCaller`].
    pub async fn authorize(
        self,
        caller: &Caller,
        request: AuthorizationRequest,
    ) -> Result<AuthorizationCode, AuthError> {
        let (code, now) = (
            Token::random(TokenKind::AuthorizationCode, &self.0.core.rng),
            self.0.core.clock.now(),
        );
        let body = CodeBody {
            client: request.client.id().to_owned(),
            redirect_uri: request.redirect_uri,
            challenge: request.challenge.into_string(),
            scope: request.scopes.to_string(),
            expires_at: clock::add(now, CODE_LIFETIME),
            approval: Consent::from_caller(caller, request.scopes)?,
            session: None,
            replayed: false,
            burnt: false,
        };
        self.0
            .core
            .one_time()
            .insert(&body, code.hash(), Some(&caller.account().username), now)
            .await?;
        let add_detail =
            |detail: AuditDetail| detail.with("client", body.client).with("scope", body.scope);
        self.audit_decision(caller, AuditAction::ClientApproved, add_detail)
            .await?;
        Ok(code)
    }

    /// Exchanges a code for tokens, once. A second use ends the session of the first, because the
    /// code may have leaked (RFC 6749 §4.1.2).
    ///
    /// # Errors
    /// [`OAuthError::InvalidCode`] for every rejection.
    pub async fn exchange_code(
        self,
        grant: AuthorizationCodeGrant,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        let code = Token::parse(TokenKind::AuthorizationCode, grant.code.expose_secret())
            .ok_or(OAuthError::InvalidCode)?;
        let found = self
            .0
            .throttling()
            .lookup_or_penalize(
                CredentialKind::AuthorizationCode,
                &from,
                self.load_code(&code.hash()),
            )
            .await?;
        let stored = found.ok_or(OAuthError::InvalidCode)?;
        if stored.body.session.is_some() {
            self.revoke_replayed(stored).await?;
            return Err(OAuthError::InvalidCode.into());
        }
        let body = &stored.body;
        let ours = grant.client == body.client && grant.redirect_uri == body.redirect_uri;
        let proved = ours && CodeChallenge::from_stored(&body.challenge).matches(&grant.verifier);
        if body.burnt || !proved || self.0.core.clock.now() >= body.expires_at {
            self.burn_code(stored, &from).await?;
            return Err(OAuthError::InvalidCode.into());
        }
        self.issue_tokens_for_code(stored, from).await
    }

    /// The row stays: a parallel request may be exchanging the code.
    async fn burn_code(
        self,
        stored: StoredToken<CodeBody>,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let StoredToken { row, body } = stored;
        let burnt = CodeBody {
            burnt: true,
            ..body
        };
        if !self.0.core.one_time().replace(&row, &burnt).await? {
            self.end_if_code_reused(&row.hash).await?;
        }
        let (kind, owner) = (CredentialKind::AuthorizationCode, row.username.as_ref());
        self.0.throttling().penalize(kind, from, owner).await
    }

    /// The session id is stored before the session begins, so that a parallel reuse of the code can
    /// end it.
    async fn issue_tokens_for_code(
        self,
        stored: StoredToken<CodeBody>,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        let StoredToken { row, body } = stored;
        let id = SessionId::random(&self.0.core.rng);
        let used = CodeBody {
            session: Some(id.to_string()),
            ..body.clone()
        };
        if !self.0.core.one_time().replace(&row, &used).await? {
            self.end_if_code_reused(&row.hash).await?;
            return Err(OAuthError::InvalidCode.into());
        }
        let client_name = self
            .0
            .core
            .settings
            .clients
            .find(&body.client)
            .ok_or(OAuthError::UnknownClient)?
            .name()
            .to_owned();
        let scopes = Scopes::parse(&body.scope)
            .map_err(|_| AuthError::Internal("stored scopes could not be parsed"))?;
        let session = ClientSession {
            consent: body.approval,
            id,
            scopes,
            client: body.client,
            client_name,
            origin: from,
        };
        let tokens = self
            .start_client_session(session)
            .await
            .map_err(|error| match error {
                AuthError::Token(TokenError::OAuth(_))
                | AuthError::Access(AccessError::InvalidToken) => OAuthError::InvalidCode.into(),
                other => other,
            })?;
        // The code may have been presented again before the session existed and could be ended.
        if let Some(stored) = self.load_code(&row.hash).await?
            && stored.body.replayed
        {
            self.revoke_replayed(stored).await?;
            return Err(OAuthError::InvalidCode.into());
        }
        Ok(tokens)
    }

    /// A lost compare-and-swap means that a parallel request uses the code. That is a reuse too.
    async fn end_if_code_reused(self, code: &TokenHash) -> Result<(), AuthError> {
        match self.load_code(code).await? {
            Some(stored) => self.revoke_replayed(stored).await,
            None => Ok(()),
        }
    }

    async fn revoke_replayed(self, stored: StoredToken<CodeBody>) -> Result<(), AuthError> {
        let StoredToken { row, body } = stored;
        let (Some(id), Some(username)) = (&body.session, row.username.clone()) else {
            return Ok(());
        };
        let id = SessionId::new(id);
        let replayed = CodeBody {
            replayed: true,
            ..body
        };
        self.0.core.one_time().replace(&row, &replayed).await?;
        tracing::warn!(%username, session.id = %id, "authorization code was used twice; its session was ended");
        self.end_client_session(&username, &id, EndReason::Replayed)
            .await
    }

    async fn load_code(self, hash: &TokenHash) -> Result<Option<StoredToken<CodeBody>>, AuthError> {
        self.0.core.one_time().find(hash).await
    }
}
