//! Provider metadata (`OpenID` Connect Discovery 1.0 §4) and keys (RFC 7517 §5). Only members that
//! this crate uses are read.

use url::Url;

use super::{
    algorithm::Algorithm,
    http::{HttpClient, HttpError, ProviderHttp, is_allowed_url},
    members::{InvalidMember, Members},
    provider::Provider,
    provider_key::ProviderKey,
};
use crate::{AuthError, error::UpstreamError};

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// A provider's metadata, with its keys.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    /// Absent, or not a URL that may be requested.
    pub(super) userinfo_endpoint: Option<Url>,
    pub(super) client_authentication: ClientAuthentication,
    /// The algorithms that the provider names and this crate accepts.
    pub(super) algorithms: Vec<Algorithm>,
    /// RFC 9207 §3.
    pub(super) sends_issuer: bool,
    pub(super) keys: Vec<ProviderKey>,
}

/// How the token endpoint authenticates this client (`OpenID` Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuthentication {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// No secret is configured.
    None,
}

/// Why metadata cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiscoveryError {
    #[error("{document}: {source}")]
    Http {
        document: &'static str,
        source: HttpError,
    },
    #[error("{document}: the response is not a JSON object")]
    NotJson { document: &'static str },
    #[error("{document}: the member {source}")]
    Member {
        document: &'static str,
        source: InvalidMember,
    },
}

const CONFIGURATION: &str = "openid-configuration";
const KEYS: &str = "jwks_uri";

impl From<InvalidMember> for DiscoveryError {
    fn from(source: InvalidMember) -> Self {
        Self::Member {
            document: CONFIGURATION,
            source,
        }
    }
}

impl DiscoveryError {
    fn into_auth_error(self, provider: &Provider) -> AuthError {
        tracing::warn!(provider = %provider.id, error = %self, "provider discovery failed");
        AuthError::Upstream(match self {
            Self::Http {
                source: HttpError::NotReached(_),
                ..
            } => UpstreamError::ProviderUnavailable,
            Self::Http { .. } | Self::NotJson { .. } | Self::Member { .. } => {
                UpstreamError::ProviderResponseUnusable
            }
        })
    }
}

/// # Errors
/// `UpstreamError::ProviderUnavailable`; `UpstreamError::ProviderResponseUnusable`.
pub(super) async fn discover(
    http: &HttpClient,
    provider: &Provider,
) -> Result<Metadata, AuthError> {
    let http = ProviderHttp { http, provider };
    fetch_metadata(http)
        .await
        .map_err(|error| error.into_auth_error(provider))
}

async fn fetch_metadata(http: ProviderHttp<'_>) -> Result<Metadata, DiscoveryError> {
    let issuer = http.provider.issuer.trim_end_matches('/');
    let members = fetch_object(http, CONFIGURATION, &format!("{issuer}{WELL_KNOWN}")).await?;
    let jwks_uri = endpoint(&members, "jwks_uri", http.provider)?;
    let mut metadata = read_metadata(&members, http.provider)?;
    let jwks = fetch_object(http, KEYS, jwks_uri.as_str()).await?;
    metadata.keys = read_keys(&jwks, http.provider).map_err(|source| DiscoveryError::Member {
        document: KEYS,
        source,
    })?;
    Ok(metadata)
}

async fn fetch_object(
    http: ProviderHttp<'_>,
    document: &'static str,
    url: &str,
) -> Result<Members, DiscoveryError> {
    let body = http
        .get_json(url)
        .await
        .map_err(|source| DiscoveryError::Http { document, source })?;
    Members::parse(&body).ok_or(DiscoveryError::NotJson { document })
}

fn read_metadata(members: &Members, provider: &Provider) -> Result<Metadata, InvalidMember> {
    // §4.3: identical, also in a trailing slash.
    if members.text("issuer")? != provider.issuer {
        return Err(InvalidMember::new("issuer", "is not the configured issuer"));
    }
    let userinfo_endpoint = endpoint(members, "userinfo_endpoint", provider)
        .inspect_err(
            |error| tracing::debug!(provider = %provider.id, %error, "provider has no userinfo"),
        )
        .ok();
    // REQUIRED by §3, with RS256 at least.
    let algorithms = members
        .lenient_list("id_token_signing_alg_values_supported")
        .unwrap_or_else(|| vec!["RS256"]);
    Ok(Metadata {
        authorization_endpoint: endpoint(members, "authorization_endpoint", provider)?,
        token_endpoint: endpoint(members, "token_endpoint", provider)?,
        userinfo_endpoint,
        client_authentication: client_authentication(members, provider)?,
        algorithms: algorithms
            .into_iter()
            .filter_map(Algorithm::by_name)
            .collect(),
        sends_issuer: members.is_true("authorization_response_iss_parameter_supported"),
        keys: Vec::new(),
    })
}

fn endpoint(
    members: &Members,
    member: &'static str,
    provider: &Provider,
) -> Result<Url, InvalidMember> {
    let url = members.url(member)?;
    if is_allowed_url(&url, provider) {
        Ok(url)
    } else {
        Err(InvalidMember::new(
            member,
            "is neither https nor on this host",
        ))
    }
}

/// Basic where it is offered, and by default (§3).
fn client_authentication(
    members: &Members,
    provider: &Provider,
) -> Result<ClientAuthentication, InvalidMember> {
    const MEMBER: &str = "token_endpoint_auth_methods_supported";
    if provider.client_secret.is_none() {
        return Ok(ClientAuthentication::None);
    }
    let Some(offered) = members
        .lenient_list(MEMBER)
        .filter(|offered| !offered.is_empty())
    else {
        return Ok(ClientAuthentication::Basic);
    };
    if offered.contains(&"client_secret_basic") {
        Ok(ClientAuthentication::Basic)
    } else if offered.contains(&"client_secret_post") {
        Ok(ClientAuthentication::Post)
    } else {
        Err(InvalidMember::new(
            MEMBER,
            "has neither client_secret_basic nor client_secret_post",
        ))
    }
}

/// Keys that are unknown, weak or for another use are skipped.
fn read_keys(jwks: &Members, provider: &Provider) -> Result<Vec<ProviderKey>, InvalidMember> {
    let usable = |key: &serde_json::Value| {
        serde_json::from_value(key.clone())
            .inspect_err(|error| {
                tracing::debug!(provider = %provider.id, %error, "provider key is not used");
            })
            .ok()
    };
    Ok(jwks.objects("keys")?.iter().filter_map(usable).collect())
}
