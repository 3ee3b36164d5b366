//! Signing in through somebody else's `OpenID` provider (`OpenID` Connect Core 1.0 §3.1, code flow with PKCE).
//!
//! Who somebody is there is the pair of issuer and subject (§5.7), never a name or a mail address: those can be given to
//! somebody else. A provider's account is joined to ours by its owner, from a signed-in session, or by making a new
//! account where the operator allows that. The protocol is in `protocol`; HTTP is the host's.

mod callback;
mod login_state;
mod metadata_cache;
mod protocol;
mod provider_key;
mod provisioning;
mod signature;

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use login_state::LoginState;
#[cfg(test)]
pub(crate) use metadata_cache::FETCH_TIMEOUT;
pub(crate) use metadata_cache::MetadataCache;
use protocol::Prompt;
pub use protocol::{HttpClient, HttpError};

use crate::{
    Auth, AuthError, AuthStore, Caller, Origin, SecurityNotice, Token, TokenHash,
    session::mfa_challenge::SignInOutcome,
    store::{Identity, NewIdentity},
};

/// How long somebody may take at the provider.
const STATE_LIFETIME: Duration = Duration::from_mins(10);

/// One provider, as the operator set it up.
#[derive(Clone, Debug)]
pub struct Provider {
    /// In addresses: `a-z`, `0-9`, `-`.
    pub id: String,
    /// On the button.
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    /// Besides `openid`.
    pub scopes: Vec<String>,
    /// Where the provider sends people back to.
    pub redirect_uri: String,
    pub unknown_users: UnknownUsers,
}

/// What becomes of people whom the provider knows and we don't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownUsers {
    /// They need an account first, and join it to the provider's.
    Reject,
    /// They get an account.
    Provision,
}

#[derive(Clone, Debug, Default)]
pub struct UpstreamSettings {
    pub providers: Vec<Provider>,
    pub http: Option<HttpClient>,
}

/// On the way to the provider.
#[derive(Debug)]
pub struct LoginRedirect {
    /// The provider's page. Holds `state`: for the browser only, not for logs.
    pub location: SecretString,
    /// For a cookie of the browser that leaves: only the same one may arrive. One for all of its windows.
    pub browser_token: Token,
}

/// What the provider sent the browser back with (RFC 6749 §4.1.2, RFC 9207).
#[derive(Debug)]
pub struct Callback {
    pub state: SecretString,
    /// The code, or the provider's error code.
    pub outcome: Result<SecretString, String>,
    pub issuer: Option<String>,
    /// The cookie of the browser that left.
    pub browser_token: Option<Token>,
}

/// What a departure was for.
#[derive(Debug)]
pub enum CallbackResult {
    /// In, or to our own second factor.
    SignedIn { step: SignInOutcome, next: String },
    /// As whoever they were before: an account was joined to theirs, or they have shown that it is still them.
    Returned(String),
}

/// Why the way there.
#[derive(Debug)]
pub enum LoginPurpose<'a> {
    SignIn,
    /// As [`SignIn`](Self::SignIn), and the provider is to ask again who it is.
    Reauthenticate,
    Link(&'a Caller),
}

/// Who it is, as a verified ID token says.
pub(crate) struct UpstreamUser {
    pub(crate) subject: String,
    pub(crate) username: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// When the provider last asked who it is, where it says so.
    pub(crate) auth_time: Option<Timestamp>,
}

impl<S: AuthStore> Auth<S> {
    pub fn providers(&self) -> &[Provider] {
        &self.0.settings.upstreams.providers
    }

    /// `next` is where the person wants to go afterwards; the host has checked it. `browser` is the cookie of an earlier
    /// departure. Nothing is kept.
    ///
    /// # Errors
    /// [`AuthError::NoSuchProvider`]; [`AuthError::ProviderAway`] where it does not answer.
    pub async fn start_login(
        &self,
        provider: &str,
        purpose: LoginPurpose<'_>,
        next: String,
        browser_token: Option<Token>,
    ) -> Result<LoginRedirect, AuthError> {
        let provider = self.provider(provider)?;
        let metadata = self.metadata(provider).await?;
        let (secrets, browser_token) = (
            protocol::LoginSecrets::new(&self.0.rng),
            self.browser_token(browser_token),
        );
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
            started_at: self.0.clock.now(),
            link,
        };
        let location = protocol::authorization_url(
            provider,
            &metadata,
            &login,
            &self.seal_state(&login, &browser_token)?,
        )?;
        Ok(LoginRedirect {
            location,
            browser_token,
        })
    }

    /// By itself: whoever hangs up leaves nothing half done.
    ///
    /// # Errors
    /// [`AuthError::WrongBrowser`] for a state that is unknown, used, expired, another browser's, or joined to an
    /// account that the caller is not signed in to (any more);
    /// [`AuthError::ProviderRefused`], [`AuthError::NotLinked`], [`AuthError::AlreadyLinked`],
    /// [`AuthError::ProviderAway`], [`AuthError::SignInOver`]; [`AuthError::Throttled`] where too many codes that came from
    /// that network were not the provider's.
    pub async fn handle_callback(
        &self,
        provider: &str,
        callback: Callback,
        caller: Option<Caller>,
        from: Origin,
    ) -> Result<CallbackResult, AuthError> {
        let (auth, provider) = (self.clone(), provider.to_owned());
        let done = tokio::spawn(async move {
            auth.process_callback(&provider, callback, caller, from)
                .await
        });
        done.await
            .unwrap_or(Err(AuthError::Internal("a sign-in panicked")))
    }

    /// The providers' accounts that open this one.
    pub async fn identities(&self, caller: &Caller) -> Result<Vec<Identity>, AuthError> {
        Ok(self
            .0
            .store
            .identities_of(&caller.account().username)
            .await?)
    }

    /// It opens nothing any more, and the sessions that began at a provider end, but for the caller's own.
    ///
    /// # Errors
    /// [`AuthError::NotLinked`].
    pub async fn unlink_identity(
        &self,
        caller: &Caller,
        id: &str,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let (by, at) = (caller.actor().with_origin(from), self.0.clock.now());
        if !self.0.store.unlink_identity(by, id, at).await? {
            return Err(AuthError::IdentityNotLinked);
        }
        self.invalidate(&caller.account().username);
        self.audit_and_notify(caller.account(), SecurityNotice::ProviderUnlinked, from)
            .await
    }

    fn provider(&self, id: &str) -> Result<&Provider, AuthError> {
        self.providers()
            .iter()
            .find(|provider| provider.id == id)
            .ok_or(AuthError::NoSuchProvider)
    }

    fn http(&self) -> Result<&HttpClient, AuthError> {
        self.0
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
        display_hint: user.username.clone().or_else(|| user.email.clone()),
    }
}

/// What an identity is called in addresses: says nothing about who it is.
#[must_use]
pub fn identity_id(issuer: &str, subject: &str) -> String {
    let text = format!("{}:{issuer}{subject}", issuer.len());
    let hash = TokenHash::of(text.as_bytes());
    hash.as_str().get(..32).unwrap_or_default().to_owned()
}
