//! Sign-in through upstream `OpenID` providers (`OpenID` Connect Core 1.0 §3.1, code flow with
//! PKCE).
//!
//! An identity is the pair of issuer and subject (§5.7), never a name or an e-mail address, which
//! can be reassigned. The account's owner links it from a signed-in session. Where the operator
//! allows it, a new account is created instead.
//!
//! Providers differ. Members that prove the identity are checked strictly; others may have any type.
//!
//! Deliberately absent: the HTTP client, which the host provides.

mod algorithm;
mod authorization;
mod callback;
mod code_exchange;
mod discovery;
mod exchange;
mod http;
mod id_token;
mod login_state;
mod members;
mod metadata_cache;
mod metadata_loading;
mod provider;
mod provider_key;
mod provisioning;
mod signature;
mod state_parameter;
mod user;
mod userinfo;

use authorization::{LoginSecrets, Prompt};
use login_state::LoginState;
use secrecy::SecretString;
use user::UpstreamUser;

pub use http::{HttpClient, HttpError};
pub(crate) use metadata_cache::MetadataCache;
#[cfg(test)]
pub(crate) use metadata_loading::FETCH_TIMEOUT;
pub use provider::{Provider, UnknownUsers, UpstreamSettings};

use crate::{
    AuthError, AuthStore, Caller, Origin, SecurityNotice, Token, TokenHash,
    detached::detached,
    error::UpstreamError,
    handles::Upstream,
    session::mfa_challenge::SignInOutcome,
    store::{Identity, NewIdentity},
};

/// A redirect to the provider.
#[derive(Debug)]
pub struct LoginRedirect {
    /// The provider's authorization URL. It contains `state`, so it must not be logged.
    pub location: SecretString,
    /// For a cookie of this browser. The callback must present it. All windows share one token.
    pub browser_token: Token,
}

/// The parameters of the callback (RFC 6749 §4.1.2, RFC 9207).
#[derive(Debug)]
pub struct Callback {
    pub state: SecretString,
    /// The code, or the provider's error code.
    pub outcome: Result<SecretString, String>,
    pub issuer: Option<String>,
    /// The cookie of the browser that started the login.
    pub browser_token: Option<Token>,
}

/// The result of a callback.
#[derive(Debug)]
pub enum CallbackResult {
    /// Signed in, or waiting for our own second factor.
    SignedIn { step: SignInOutcome, next: String },
    /// The session continues: an identity was linked, or step-up is complete.
    Returned(String),
}

/// The purpose of a login.
#[derive(Debug)]
pub enum LoginPurpose<'a> {
    SignIn,
    /// As [`SignIn`](Self::SignIn), and the provider must authenticate the user again.
    Reauthenticate,
    Link(&'a Caller),
}

impl<'a, S: AuthStore> Upstream<'a, S> {
    pub fn providers(self) -> &'a [Provider] {
        &self.0.core.settings.upstreams.providers
    }

    /// Starts a login. Nothing is stored.
    ///
    /// `next` is the return path, which the host has validated. `browser` is the cookie of an
    /// earlier login.
    ///
    /// # Errors
    /// `UpstreamError::NoSuchProvider`; `UpstreamError::ProviderUnavailable`;
    /// `UpstreamError::ProviderResponseUnusable`.
    pub async fn start_login(
        self,
        provider: &str,
        purpose: LoginPurpose<'_>,
        next: String,
        browser_token: Option<Token>,
    ) -> Result<LoginRedirect, AuthError> {
        let provider = self.provider(provider)?;
        let metadata = self.metadata(provider).await?;
        let secrets = LoginSecrets::new(&self.0.core.rng);
        let browser_token = self.browser_token(browser_token);
        let link = match purpose {
            LoginPurpose::Link(caller) => Some(login_state::LinkTarget::of(caller)),
            LoginPurpose::SignIn | LoginPurpose::Reauthenticate => None,
        };
        let login = LoginState {
            provider: provider.id.clone(),
            nonce: secrets.nonce,
            verifier: secrets.verifier,
            next: login_state::clamp_next(next),
            ask: if matches!(purpose, LoginPurpose::SignIn) {
                Prompt::Default
            } else {
                Prompt::Login
            },
            started_at: self.0.core.clock.now(),
            link,
        };
        let state = self.seal_state(&login, &browser_token)?;
        let location = authorization::authorization_url(provider, &metadata, &login, &state);
        Ok(LoginRedirect {
            location,
            browser_token,
        })
    }

    /// Handles the callback in a task of its own, so that a disconnect leaves no partial result.
    ///
    /// # Errors
    /// - `UpstreamError::StateMismatch` if the state is unknown, used, expired or of another browser,
    ///   or if the session that started a linking has ended.
    /// - `UpstreamError::ProviderRejected`, `UpstreamError::IdTokenInvalid`,
    ///   `UpstreamError::IdentityNotLinked`, `UpstreamError::IdentityLinkedElsewhere`,
    ///   `UpstreamError::ProviderUnavailable`, `UpstreamError::ProviderResponseUnusable`,
    ///   `SignInError::SignInExpired`.
    /// - `ThrottleError::Throttled` after too many invalid codes from that network.
    pub async fn handle_callback(
        self,
        provider: &str,
        callback: Callback,
        caller: Option<Caller>,
        from: Origin,
    ) -> Result<CallbackResult, AuthError> {
        let auth = self.0.auth();
        let provider = provider.to_owned();
        detached(async move {
            auth.upstream()
                .process_callback(&provider, callback, caller, from)
                .await
        })
        .await
    }

    /// The identities that are linked to the caller's account.
    pub async fn identities(self, caller: &Caller) -> Result<Vec<Identity>, AuthError> {
        Ok(self
            .0
            .core
            .store
            .identities_of(&caller.account().username)
            .await?)
    }

    /// Unlinks the identity. Sessions that began at a provider end, except the caller's own.
    ///
    /// # Errors
    /// `UpstreamError::IdentityNotLinked`.
    pub async fn unlink_identity(
        self,
        caller: &Caller,
        id: &str,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let (by, at) = (caller.actor().with_origin(from), self.0.core.clock.now());
        let name = self.provider_name_of(caller, id).await?;
        if !self.0.core.store.unlink_identity(by, id, at).await? {
            return Err(AuthError::Upstream(UpstreamError::IdentityNotLinked));
        }
        self.0.invalidate(&caller.account().username);
        self.0
            .mail()
            .audit_and_notify_about(
                caller.account(),
                SecurityNotice::ProviderUnlinked,
                &name,
                from,
            )
            .await
    }

    /// The name of an identity's provider; its id if the operator has removed the provider.
    async fn provider_name_of(self, caller: &Caller, id: &str) -> Result<String, AuthError> {
        let linked = self
            .identities(caller)
            .await?
            .into_iter()
            .find(|linked| identity_id(&linked.issuer, &linked.subject) == id)
            .ok_or(AuthError::Upstream(UpstreamError::IdentityNotLinked))?;
        let provider = self.provider(&linked.provider);
        Ok(provider.map_or(linked.provider, |provider| provider.name.clone()))
    }

    fn provider(self, id: &str) -> Result<&'a Provider, AuthError> {
        self.providers()
            .iter()
            .find(|provider| provider.id == id)
            .ok_or(AuthError::Upstream(UpstreamError::NoSuchProvider))
    }

    fn http(self) -> Result<&'a HttpClient, AuthError> {
        self.0
            .core
            .settings
            .upstreams
            .http
            .as_ref()
            .ok_or(AuthError::Internal("there is no HTTP client for providers"))
    }
}

fn identity_of(provider: &Provider, user: &UpstreamUser) -> NewIdentity {
    NewIdentity {
        issuer: provider.issuer.clone(),
        subject: user.subject.clone(),
        provider: provider.id.clone(),
        display_hint: user
            .profile
            .username
            .clone()
            .or_else(|| user.profile.email.clone()),
    }
}

/// The identity's id in URLs: a hash that does not reveal the subject.
#[must_use]
pub fn identity_id(issuer: &str, subject: &str) -> String {
    let text = format!("{}:{issuer}{subject}", issuer.len());
    let hash = TokenHash::of(text.as_bytes());
    hash.as_str().get(..32).unwrap_or_default().to_owned()
}
