//! The wire of `OpenID` Connect, by way of the crate openidconnect: discovery, the way there, and the ID token.

use std::{fmt, pin::Pin, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jiff::Timestamp;
use openidconnect::{
    AdditionalProviderMetadata, AsyncHttpClient, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyAdditionalClaims, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, Scope, StandardErrorResponse,
    TokenResponse as _,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClientAuthMethod,
        CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreIdTokenClaims, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenResponse,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    Person, Provider,
    provider_key::{ALGORITHMS, ProviderKey},
    signed::is_signed,
    voyage::Voyage,
};
use crate::{AuthError, Chance};

/// How far a provider's clock may be ahead of ours.
const SKEW: i64 = 5 * 60;

/// What a provider says of itself, with keys as we take them.
pub(super) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    ProviderKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Besides what the crate openidconnect knows of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct More {
    /// RFC 9207 §3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Asker = Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    ProviderKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    CoreTokenResponse,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

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

pub(super) async fn discover(http: &HttpClient, provider: &Provider) -> Result<Metadata, AuthError> {
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|_| AuthError::Internal("an issuer is no URL"))?;
    let metadata = Metadata::discover_async(issuer, http).await.map_err(|error| away(provider, &error))?;
    if provider.issuer.starts_with("https:") && !is_all_https(&metadata) {
        return Err(away(provider, &HttpError("an endpoint of it is not under https".to_owned())));
    }
    Ok(metadata)
}

/// Whoever is asked by https is not to send us, our secret or people elsewhere in the clear.
fn is_all_https(metadata: &Metadata) -> bool {
    let endpoints = [metadata.authorization_endpoint().url(), metadata.jwks_uri().url()];
    let token = metadata.token_endpoint().map(openidconnect::TokenUrl::url);
    endpoints.into_iter().chain(token).all(|url| url.scheme() == "https")
}

fn asker(provider: &Provider, metadata: &Metadata) -> Result<Asker, AuthError> {
    let asker = Asker::from_provider_metadata(metadata.clone(), id(provider), secret(provider));
    Ok(asker.set_redirect_uri(redirect(provider)?))
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
    metadata: &Metadata,
    route: &Route,
    state: &str,
    ask: Ask,
) -> Result<SecretString, AuthError> {
    let client = asker(provider, metadata)?;
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

/// A code, and what it came with.
pub(super) struct Redeem<'a> {
    pub(super) voyage: &'a Voyage,
    pub(super) code: SecretString,
    pub(super) now: Timestamp,
}

/// Exchanges the code and verifies the ID token: signature by the provider's published keys, issuer, audience, time,
/// nonce (`OpenID` Connect Core §3.1.3.7).
pub(super) async fn redeem(
    http: &HttpClient,
    provider: &Provider,
    metadata: &Metadata,
    Redeem { voyage, code, now }: Redeem<'_>,
) -> Result<Person, AuthError> {
    let client = asker(provider, metadata)?;
    let request = client
        .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
        .map_err(|_| AuthError::ProviderRefused("it has no token endpoint".to_owned()))?
        .set_pkce_verifier(PkceCodeVerifier::new(voyage.verifier.clone()));
    let answer = request.request_async(http).await.map_err(|error| {
        tracing::warn!(provider = %provider.id, %error, "a provider did not take its code");
        AuthError::ProviderRefused("it did not take its own code".to_owned())
    })?;
    let token = answer.id_token().ok_or_else(|| AuthError::ProviderRefused("it sent no ID token".to_owned()))?;
    let bad = |error: &dyn fmt::Display| {
        tracing::warn!(provider = %provider.id, %error, "a provider's ID token is no good");
        AuthError::ProviderRefused("its ID token is not valid".to_owned())
    };
    // Before anything in it is looked at.
    if !is_signed(&token.to_string(), metadata.jwks().keys()) {
        return Err(bad(&"it is not signed by one key of the provider's"));
    }
    let spoken = metadata.id_token_signing_alg_values_supported();
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS.into_iter().filter(|algorithm| spoken.contains(algorithm)))
        .set_issue_time_verifier_fn(|at| {
            let early = at.timestamp() > now.as_second() + SKEW;
            if early { Err("it was issued in the future".to_owned()) } else { Ok(()) }
        });
    let claims = token.claims(&verifier, &Nonce::new(voyage.nonce.clone())).map_err(|error| bad(&error))?;
    // Issued for another program, which handed it on (`OpenID` Connect Core §3.1.3.7, 5).
    if claims.authorized_party().is_some_and(|party| party.as_str() != provider.client_id) {
        return Err(bad(&"it is for another program"));
    }
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
