//! The wire of `OpenID` Connect, by way of the crate openidconnect: discovery, the way there, and the ID token.

use std::{fmt, pin::Pin, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
    core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Person, Provider, voyage::Voyage};
use crate::{AuthError, Chance};

/// Why a provider could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HttpError(pub String);

type Asking = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send>>;

/// The host's HTTP client: it should follow no redirects, take no endless answers, and give up after a while.
#[derive(Clone)]
pub struct HttpClient(Arc<dyn Fn(HttpRequest) -> Asking + Send + Sync>);

impl HttpClient {
    pub fn new(ask: impl Fn(HttpRequest) -> Asking + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Asking;

    fn call(&'c self, request: HttpRequest) -> Asking {
        (self.0)(request)
    }
}

/// The secrets of one way there and back.
pub(super) struct Route {
    pub(super) nonce: String,
    /// RFC 7636 §4.1: 43 unreserved characters.
    pub(super) verifier: String,
}

impl Route {
    pub(super) fn new(chance: &Chance) -> Self {
        let random = || BASE64URL.encode(chance.bytes::<32>());
        Self { nonce: random(), verifier: random() }
    }
}

pub(super) async fn discover(http: &HttpClient, provider: &Provider) -> Result<CoreProviderMetadata, AuthError> {
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|_| AuthError::Internal("an issuer is no URL"))?;
    CoreProviderMetadata::discover_async(issuer, http).await.map_err(|error| away(provider, &error))
}

/// Whether the provider may know the person still, or is to ask who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    IfUnknown,
    Again,
}

/// The provider's page, for the browser.
pub(super) fn location(
    provider: &Provider,
    metadata: &CoreProviderMetadata,
    route: &Route,
    state: &str,
    ask: Ask,
) -> Result<SecretString, AuthError> {
    let client = CoreClient::from_provider_metadata(metadata.clone(), id(provider), secret(provider))
        .set_redirect_uri(redirect(provider)?);
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(route.verifier.clone()));
    let (state, nonce) = (CsrfToken::new(state.to_owned()), Nonce::new(route.nonce.clone()));
    let mut request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
        .add_scopes(provider.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(challenge);
    if ask == Ask::Again {
        request = request.add_prompt(CoreAuthPrompt::Login);
    }
    Ok(request.url().0.to_string().into())
}

/// Exchanges the code and verifies the ID token: signature by the provider's published keys, issuer, audience, time,
/// nonce (`OpenID` Connect Core §3.1.3.7).
pub(super) async fn redeem(
    http: &HttpClient,
    provider: &Provider,
    metadata: &CoreProviderMetadata,
    voyage: &Voyage,
    code: SecretString,
) -> Result<Person, AuthError> {
    let client = CoreClient::from_provider_metadata(metadata.clone(), id(provider), secret(provider))
        .set_redirect_uri(redirect(provider)?);
    let request = client
        .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
        .map_err(|_| AuthError::ProviderRefused("it has no token endpoint".to_owned()))?
        .set_pkce_verifier(PkceCodeVerifier::new(voyage.verifier.clone()));
    let answer = request.request_async(http).await.map_err(|error| {
        tracing::warn!(provider = %provider.id, %error, "a provider did not take its code");
        AuthError::ProviderRefused("it did not take its own code".to_owned())
    })?;
    let token = answer.id_token().ok_or_else(|| AuthError::ProviderRefused("it sent no ID token".to_owned()))?;
    let claims = token.claims(&client.id_token_verifier(), &Nonce::new(voyage.nonce.clone())).map_err(|error| {
        tracing::warn!(provider = %provider.id, %error, "a provider's ID token is no good");
        AuthError::ProviderRefused("its ID token is not valid".to_owned())
    })?;
    Ok(person(claims))
}

fn person(claims: &CoreIdTokenClaims) -> Person {
    // An address that the provider has not verified may be anybody's.
    let email = claims.email().filter(|_| claims.email_verified() == Some(true));
    let name = claims.name().and_then(|name| name.get(None));
    Person {
        subject: claims.subject().as_str().to_owned(),
        username: claims.preferred_username().map(|name| name.as_str().to_owned()),
        name: name.map(|name| name.as_str().to_owned()),
        email: email.map(|email| email.as_str().to_owned()),
    }
}

fn id(provider: &Provider) -> ClientId {
    ClientId::new(provider.client_id.clone())
}

fn secret(provider: &Provider) -> Option<ClientSecret> {
    provider.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()))
}

fn redirect(provider: &Provider) -> Result<RedirectUrl, AuthError> {
    RedirectUrl::new(provider.redirect_uri.clone()).map_err(|_| AuthError::Internal("a redirect URI is no URL"))
}

fn away(provider: &Provider, error: &impl std::error::Error) -> AuthError {
    tracing::warn!(provider = %provider.id, %error, "a provider could not be asked about itself");
    AuthError::ProviderAway
}
