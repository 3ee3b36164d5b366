//! The response of `POST /auth/token`, and its password grant (RFC 6749 §4.3).

use std::time::Duration;

use secrecy::SecretString;

use crate::{
    Account, AuthError, AuthStore, Caller, OAuth, Origin, Scopes, Token,
    session::{create::SignedIn, sign_in::SignInProof},
};

/// The response of `POST /auth/token` (RFC 6749 §5.1).
#[derive(Debug)]
pub struct TokenResponse {
    pub account: Account,
    /// A JWT (RFC 7519, typ `at+jwt`). Returned once; treat as a secret.
    pub access_token: SecretString,
    pub refresh_token: Token,
    pub expires_in: Duration,
    pub scope: String,
}

impl<S: AuthStore> OAuth<'_, S> {
    /// As `sign_in`, for `POST /auth/token`: also issues an access token, with all scopes.
    pub async fn token(
        self,
        username: &str,
        proof: impl Into<SignInProof> + Send,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        self.token_with_scopes(Scopes::ALL, username, proof, from)
            .await
    }

    /// As `token`, limited to `scopes` (RFC 6749 §3.3), also after any refresh.
    pub async fn token_with_scopes(
        self,
        scopes: Scopes,
        username: &str,
        proof: impl Into<SignInProof> + Send,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        let SignedIn { caller, secret } = self
            .0
            .passwords()
            .sign_in_client(scopes, username, proof.into(), from)
            .await?;
        self.token_response(&caller, secret)
    }

    pub(crate) fn token_response(
        self,
        caller: &Caller,
        refresh: Token,
    ) -> Result<TokenResponse, AuthError> {
        let issued = self.0.sessions.access_tokens.issue(
            caller.session(),
            caller.effective_scopes(),
            self.0.core.clock.now(),
            &self.0.core.rng,
        )?;
        Ok(TokenResponse {
            account: caller.account().clone(),
            access_token: issued.token,
            refresh_token: refresh,
            expires_in: issued.expires_in,
            scope: caller.effective_scopes().to_string(),
        })
    }
}
