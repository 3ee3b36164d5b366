//! Authorization codes (RFC 6749 §4.1) with PKCE (RFC 7636) for clients that can open a browser
//! (RFC 8252).
//!
//! The user approves on our page. The client exchanges the code for tokens once, within a minute.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::{
    AuthError, AuthStore, Caller, Client, OAuth, OAuthError, Origin, Scopes, SessionId, Token,
    TokenHash, TokenKind, Username,
    audit::{AuditAction, AuditDetail},
    clock,
    oauth::{
        client::parse_requested_scope,
        consent::{ClientSession, Consent},
        refresh::TokenResponse,
    },
    store::{EndReason, OneTimeKind, OneTimeToken},
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

/// Base64url of a SHA-256 hash (RFC 7636 §4.2).
#[derive(Clone, Debug)]
struct CodeChallenge(String);

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

impl CodeChallenge {
    fn parse(challenge: Option<&str>, method: Option<&str>) -> Option<Self> {
        // Without a method the challenge would be `plain` (RFC 7636 §4.3), which protects nothing
        // here.
        let challenge = challenge.filter(|_| method == Some("S256"))?;
        let decoded = BASE64URL.decode(challenge).ok()?;
        (decoded.len() == 32).then(|| Self(challenge.to_owned()))
    }

    /// RFC 7636 §4.1 and §4.6.
    fn matches(&self, verifier: &SecretString) -> bool {
        let verifier = verifier.expose_secret();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(plain);
        let computed = BASE64URL.encode(digest(&SHA256, verifier.as_bytes()));
        well_formed && bool::from(computed.as_bytes().ct_eq(self.0.as_bytes()))
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
            challenge: request.challenge.0,
            scope: request.scopes.to_string(),
            expires_at: clock::add(now, CODE_LIFETIME),
            approval: Consent::from_caller(caller, request.scopes)?,
            session: None,
            replayed: false,
            burnt: false,
        };
        let one_time = OneTimeToken {
            kind: OneTimeKind::AuthorizationCode,
            hash: code.hash(),
            username: Some(caller.account().username.clone()),
            body: to_json(&body)?,
            created_at: now,
            expires_at: clock::add(now, REPLAY_RETENTION),
        };
        self.0.core.store.insert_token(one_time).await?;
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
        let (one_time, body) = found.ok_or(OAuthError::InvalidCode)?;
        if body.session.is_some() {
            self.revoke_replayed(one_time, body).await?;
            return Err(OAuthError::InvalidCode.into());
        }
        let now = self.0.core.clock.now();
        let ours = grant.client == body.client && grant.redirect_uri == body.redirect_uri;
        let proved = ours && CodeChallenge(body.challenge.clone()).matches(&grant.verifier);
        if body.burnt || !proved || now >= body.expires_at {
            // The row stays: a parallel request may be exchanging the code.
            if !self
                .0
                .core
                .store
                .compare_and_swap_token(
                    &one_time,
                    to_json(&CodeBody {
                        burnt: true,
                        ..body
                    })?,
                    now,
                )
                .await?
            {
                self.end_if_code_reused(&one_time.hash).await?;
            }
            self.0
                .throttling()
                .penalize(
                    CredentialKind::AuthorizationCode,
                    &from,
                    one_time.username.as_ref(),
                )
                .await?;
            return Err(OAuthError::InvalidCode.into());
        }
        self.issue_tokens_for_code(one_time, body, from).await
    }

    /// The session id is stored before the session begins, so that a parallel reuse of the code can
    /// end it.
    async fn issue_tokens_for_code(
        self,
        one_time: OneTimeToken,
        body: CodeBody,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        let id = SessionId::random(&self.0.core.rng);
        let used = CodeBody {
            session: Some(id.to_string()),
            ..body.clone()
        };
        if !self
            .0
            .core
            .store
            .compare_and_swap_token(&one_time, to_json(&used)?, self.0.core.clock.now())
            .await?
        {
            self.end_if_code_reused(&one_time.hash).await?;
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
                AuthError::OAuth(_) | AuthError::InvalidToken => OAuthError::InvalidCode.into(),
                other => other,
            })?;
        // The code may have been presented again before the session existed and could be ended.
        if let Some((one_time, body)) = self.load_code(&one_time.hash).await?
            && body.replayed
        {
            self.revoke_replayed(one_time, body).await?;
            return Err(OAuthError::InvalidCode.into());
        }
        Ok(tokens)
    }

    /// A lost compare-and-swap means that a parallel request uses the code. That is a reuse too.
    async fn end_if_code_reused(self, code: &TokenHash) -> Result<(), AuthError> {
        match self.load_code(code).await? {
            Some((one_time, body)) => self.revoke_replayed(one_time, body).await,
            None => Ok(()),
        }
    }

    async fn revoke_replayed(
        self,
        one_time: OneTimeToken,
        body: CodeBody,
    ) -> Result<(), AuthError> {
        let now = self.0.core.clock.now();
        let (Some(id), Some(username)) = (&body.session, &one_time.username) else {
            return Ok(());
        };
        let (id, username): (SessionId, Username) = (SessionId::new(id), username.clone());
        self.0
            .core
            .store
            .compare_and_swap_token(
                &one_time,
                to_json(&CodeBody {
                    replayed: true,
                    ..body
                })?,
                now,
            )
            .await?;
        tracing::warn!(%username, session.id = %id, "authorization code was used twice; its session was ended");
        self.end_client_session(&username, &id, EndReason::Replayed)
            .await
    }

    async fn load_code(
        self,
        hash: &TokenHash,
    ) -> Result<Option<(OneTimeToken, CodeBody)>, AuthError> {
        let one_time = self
            .0
            .core
            .store
            .find_token(
                OneTimeKind::AuthorizationCode,
                hash,
                self.0.core.clock.now(),
            )
            .await?;
        let read = |one_time: OneTimeToken| match serde_json::from_str(&one_time.body) {
            Ok(body) => Ok((one_time, body)),
            Err(_) => Err(AuthError::Internal(
                "stored authorization code could not be parsed",
            )),
        };
        one_time.map(read).transpose()
    }
}

fn to_json(body: &CodeBody) -> Result<String, AuthError> {
    serde_json::to_string(body)
        .map_err(|_| AuthError::Internal("authorization code could not be serialized"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn pkce_challenge_matches_the_rfc_7636_example() {
        let challenge = CodeChallenge::parse(
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            Some("S256"),
        )
        .unwrap();
        assert!(challenge.matches(&"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into()));
        assert!(!challenge.matches(&"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl".into()));
    }

    #[test]
    fn pkce_verifier_has_43_to_128_unreserved_characters() {
        for (verifier, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            (" ".repeat(43), false),
            ("é".repeat(43), false),
        ] {
            let challenge = BASE64URL.encode(digest(&SHA256, verifier.as_bytes()));
            let challenge = CodeChallenge::parse(Some(&challenge), Some("S256")).unwrap();
            assert_eq!(
                challenge.matches(&verifier.clone().into()),
                good,
                "{verifier}"
            );
        }
    }

    #[test]
    fn pkce_challenge_other_than_s256_is_rejected() {
        let challenge = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        for (challenge, method) in [
            (challenge, None),
            (challenge, Some("plain")),
            (challenge, Some("s256")),
            (None, Some("S256")),
            (Some("short"), Some("S256")),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="),
                Some("S256"),
            ),
        ] {
            assert!(
                CodeChallenge::parse(challenge, method).is_none(),
                "{challenge:?} {method:?}"
            );
        }
    }
}
