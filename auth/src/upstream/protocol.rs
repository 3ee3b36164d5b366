//! The `OpenID` Connect protocol, through the crate openidconnect: discovery, authorization URL,
//! code exchange and ID token verification.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jiff::Timestamp;
use openidconnect::{
    AdditionalProviderMetadata, AuthorizationCode, ClaimsVerificationError, Client, ClientId,
    ClientSecret, CsrfToken, EmptyAdditionalClaims, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, Scope,
    StandardErrorResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType,
        CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreGrantType,
        CoreIdToken as IdToken, CoreIdTokenClaims, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreSubjectIdentifierType, CoreTokenIntrospectionResponse,
        CoreTokenResponse,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    http::{HttpClient, HttpError, HttpsOnlyClient, is_allowed_url},
    login_state::LoginState,
    provider::{Provider, UpstreamUser},
    provider_key::{ALGORITHMS, ProviderKey},
    signature::verify_signature,
};
use crate::{AuthError, SecureRandom, error::UpstreamError};

/// Seconds that a provider's clock may be ahead of ours.
const SKEW: i64 = 5 * 60;

/// Provider metadata, with keys of our own type.
pub(super) type Metadata = ProviderMetadata<
    ExtraMetadata,
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

/// Metadata that the crate openidconnect does not parse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExtraMetadata {
    /// RFC 9207 §3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for ExtraMetadata {}

type OidcClient = Client<
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

/// The secrets of one login.
pub(super) struct LoginSecrets {
    pub(super) nonce: String,
    /// RFC 7636 §4.1: 43 unreserved characters.
    pub(super) verifier: String,
}

impl LoginSecrets {
    pub(super) fn new(rng: &SecureRandom) -> Self {
        let random = || BASE64URL.encode(rng.bytes::<32>());
        Self {
            nonce: random(),
            verifier: random(),
        }
    }
}

pub(super) async fn discover(
    http: &HttpClient,
    provider: &Provider,
) -> Result<Metadata, AuthError> {
    let issuer = IssuerUrl::new(provider.issuer.clone())
        .map_err(|_| AuthError::Internal("issuer is not a URL"))?;
    let https_only = HttpsOnlyClient { http, provider };
    let metadata = Metadata::discover_async(issuer, &https_only).await;
    let metadata = metadata.map_err(|error| unavailable(provider, &error))?;
    let token = metadata.token_endpoint().map(openidconnect::TokenUrl::url);
    let endpoints = [
        Some(metadata.authorization_endpoint().url()),
        Some(metadata.jwks_uri().url()),
        token,
    ];
    if !endpoints
        .into_iter()
        .flatten()
        .all(|url| is_allowed_url(url, provider))
    {
        return Err(unavailable(
            provider,
            &HttpError("an endpoint is neither https nor on this host".to_owned()),
        ));
    }
    Ok(metadata)
}

fn oidc_client(provider: &Provider, metadata: &Metadata) -> Result<OidcClient, AuthError> {
    let asker =
        OidcClient::from_provider_metadata(metadata.clone(), id(provider), secret(provider));
    Ok(asker.set_redirect_uri(redirect(provider)?))
}

/// The `prompt` parameter: whether the provider may reuse its session or must authenticate again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Prompt {
    #[serde(rename = "IfUnknown")]
    Default,
    #[serde(rename = "Again")]
    Login,
}

/// The authorization URL, for the browser.
pub(super) fn authorization_url(
    provider: &Provider,
    metadata: &Metadata,
    login_state: &LoginState,
    state: &SecretString,
) -> Result<SecretString, AuthError> {
    let client = oidc_client(provider, metadata)?;
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(
        login_state.verifier.clone(),
    ));
    let (state, nonce) = (
        CsrfToken::new(state.expose_secret().to_owned()),
        Nonce::new(login_state.nonce.clone()),
    );
    let mut request = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || state,
            move || nonce,
        )
        .add_scopes(provider.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(challenge);
    if login_state.ask == Prompt::Login {
        // With `max_age`, the provider must send `auth_time`.
        request = request
            .add_prompt(CoreAuthPrompt::Login)
            .set_max_age(Duration::ZERO);
    }
    Ok(request.url().0.to_string().into())
}

/// Exchanges the code for an unverified ID token.
pub(super) async fn exchange_code(
    http: &HttpClient,
    provider: &Provider,
    metadata: &Metadata,
    login_state: &LoginState,
    code: SecretString,
) -> Result<IdToken, AuthError> {
    let client = oidc_client(provider, metadata)?;
    let request = client
        .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
        .map_err(|_| {
            AuthError::Upstream(UpstreamError::ProviderRejected(
                "the provider has no token endpoint".to_owned(),
            ))
        })?
        .set_pkce_verifier(PkceCodeVerifier::new(login_state.verifier.clone()));
    let answer = request
        .request_async(&HttpsOnlyClient { http, provider })
        .await
        .map_err(|error| {
            tracing::warn!(provider = %provider.id, %error, "provider rejected its authorization code");
            AuthError::Upstream(UpstreamError::ProviderRejected("the provider rejected its own code".to_owned()))
        })?;
    let token = answer.extra_fields().id_token().cloned();
    token.ok_or_else(|| {
        AuthError::Upstream(UpstreamError::ProviderRejected(
            "the provider sent no ID token".to_owned(),
        ))
    })
}

/// The values that an ID token must match.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) login_state: &'a LoginState,
    pub(super) now: Timestamp,
}

/// Why an ID token was rejected.
pub(super) enum IdTokenError {
    /// The provider may have rotated its keys since the last fetch.
    Signature(AuthError),
    Other(AuthError),
}

impl From<AuthError> for IdTokenError {
    fn from(error: AuthError) -> Self {
        Self::Other(error)
    }
}

impl From<IdTokenError> for AuthError {
    fn from(why: IdTokenError) -> Self {
        match why {
            IdTokenError::Signature(error) | IdTokenError::Other(error) => error,
        }
    }
}

/// Verifies the ID token: signature by one published key, issuer, audience, authorized party, time
/// and nonce (`OpenID` Connect Core §3.1.3.7).
pub(super) fn verify_id_token(
    provider: &Provider,
    metadata: &Metadata,
    token: &IdToken,
    Expected { login_state, now }: Expected<'_>,
) -> Result<UpstreamUser, IdTokenError> {
    let bad = |error: &dyn fmt::Display| {
        tracing::warn!(provider = %provider.id, %error, "provider sent an invalid ID token");
        AuthError::Upstream(UpstreamError::ProviderRejected(
            "its ID token is invalid".to_owned(),
        ))
    };
    // The signature is verified before any claim is read.
    if !verify_signature(&token.to_string(), metadata.jwks().keys()) {
        return Err(IdTokenError::Signature(bad(
            &"the signature matches no single key of the provider",
        )));
    }
    let (client, supported) = (
        oidc_client(provider, metadata)?,
        metadata.id_token_signing_alg_values_supported(),
    );
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(
            ALGORITHMS
                .into_iter()
                .filter(|algorithm| supported.contains(algorithm)),
        )
        .set_issue_time_verifier_fn(|at| {
            let early = at.timestamp() > now.as_second() + SKEW;
            if early {
                Err("issued in the future".to_owned())
            } else {
                Ok(())
            }
        });
    let claims = token
        .claims(&verifier, &Nonce::new(login_state.nonce.clone()))
        .map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(_) => {
                IdTokenError::Signature(bad(&error))
            }
            _ => IdTokenError::Other(bad(&error)),
        })?;
    // The token was issued for another client (`OpenID` Connect Core §3.1.3.7, 5).
    if claims
        .authorized_party()
        .is_some_and(|party| party.as_str() != provider.client_id)
    {
        return Err(IdTokenError::Other(bad(&"issued for another client")));
    }
    user_from_claims(claims).map_err(IdTokenError::Other)
}

/// §2: a subject has at most 255 ASCII characters. An empty subject, or one with control characters
/// or outer spaces, could match two identities.
fn is_valid_subject(subject: &str) -> bool {
    let printable = subject.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    (1..=255).contains(&subject.len()) && printable && subject.trim() == subject
}

/// Removes control characters and truncates to 255 characters. Names are displayed, never compared.
fn sanitize_name(name: &str) -> Option<String> {
    let plain: String = name.chars().filter(|c| !c.is_control()).take(255).collect();
    let trimmed = plain.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

fn user_from_claims(claims: &CoreIdTokenClaims) -> Result<UpstreamUser, AuthError> {
    let subject = claims.subject().as_str();
    if !is_valid_subject(subject) {
        return Err(AuthError::Upstream(UpstreamError::ProviderRejected(
            "the provider sent no valid subject".to_owned(),
        )));
    }
    // An unverified address may belong to another person.
    let email = claims
        .email()
        .filter(|_| claims.email_verified() == Some(true));
    let name = claims.name().and_then(|name| name.get(None));
    let auth_time = claims
        .auth_time()
        .and_then(|at| Timestamp::from_second(at.timestamp()).ok());
    Ok(UpstreamUser {
        subject: subject.to_owned(),
        username: claims
            .preferred_username()
            .and_then(|name| sanitize_name(name.as_str())),
        name: name.map(|name| name.as_str().to_owned()),
        email: email.and_then(|email| sanitize_name(email.as_str())),
        auth_time,
    })
}

fn id(provider: &Provider) -> ClientId {
    ClientId::new(provider.client_id.clone())
}

fn secret(provider: &Provider) -> Option<ClientSecret> {
    provider
        .client_secret
        .as_ref()
        .map(|secret| ClientSecret::new(secret.expose_secret().to_owned()))
}

fn redirect(provider: &Provider) -> Result<RedirectUrl, AuthError> {
    RedirectUrl::new(provider.redirect_uri.clone())
        .map_err(|_| AuthError::Internal("redirect URI is not a URL"))
}

fn unavailable(provider: &Provider, error: &impl std::error::Error) -> AuthError {
    tracing::warn!(provider = %provider.id, %error, "provider discovery failed");
    AuthError::Upstream(UpstreamError::ProviderUnavailable)
}
