//! The userinfo endpoint (`OpenID` Connect Core §5.3): names that the ID token omits.

use http::{HeaderValue, Request, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    discovery::Metadata,
    http::{HttpError, ProviderHttp},
    members::{InvalidMember, Members},
    provider::Provider,
    signature::verified_payload,
    user::{Profile, UpstreamUser},
};
use crate::{AuthError, error::UpstreamError};

/// Why userinfo cannot be used.
#[derive(Debug, thiserror::Error)]
enum UserinfoError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the response has status {0}")]
    Status(u16),
    #[error("the response is not a JSON object")]
    NotJson,
    #[error("the signature matches no single key of the provider")]
    Signature,
    #[error("the member {0}")]
    Member(#[from] InvalidMember),
    /// §5.3.2: the response is about another user.
    #[error("the member sub is another user")]
    AnotherUser,
}

/// The names at the userinfo endpoint. An endpoint that fails has none.
///
/// # Errors
/// `UpstreamError::ProviderRejected` if the response is about another user.
pub(super) async fn fetch_profile(
    http: ProviderHttp<'_>,
    metadata: &Metadata,
    user: &UpstreamUser,
    access_token: &SecretString,
) -> Result<Profile, AuthError> {
    let provider = http.provider;
    match request_claims(http, metadata, access_token)
        .await
        .and_then(|claims| profile_of(&claims, &user.subject))
    {
        Ok(profile) => Ok(profile),
        Err(error) => {
            tracing::warn!(provider = %provider.id, %error, "provider sent no usable userinfo");
            if matches!(error, UserinfoError::AnotherUser) {
                return Err(AuthError::Upstream(UpstreamError::ProviderRejected(
                    "its userinfo is about another user".to_owned(),
                )));
            }
            Ok(Profile::default())
        }
    }
}

async fn request_claims(
    http: ProviderHttp<'_>,
    metadata: &Metadata,
    access_token: &SecretString,
) -> Result<Members, UserinfoError> {
    let Some(endpoint) = &metadata.userinfo_endpoint else {
        return Err(InvalidMember::new("userinfo_endpoint", "is missing or invalid").into());
    };
    let unusable = |what: &str| HttpError::UnusableResponse(what.to_owned());
    let mut credentials = HeaderValue::try_from(format!("Bearer {}", access_token.expose_secret()))
        .map_err(|_| unusable("the access token is not a header value"))?;
    credentials.set_sensitive(true);
    let request = Request::get(endpoint.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, credentials)
        .body(Vec::new())
        .map_err(|_| unusable("the endpoint is not a URL"))?;
    let response = http.send(request).await?;
    if response.status() != StatusCode::OK {
        return Err(UserinfoError::Status(response.status().as_u16()));
    }
    if is_jwt(response.headers().get(header::CONTENT_TYPE)) {
        signed_claims(response.body(), metadata, http.provider)
    } else {
        Members::parse(response.body()).ok_or(UserinfoError::NotJson)
    }
}

fn is_jwt(kind: Option<&HeaderValue>) -> bool {
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/jwt"))
}

/// A signed response (§5.3.2). An encrypted one has no signature of this form and is rejected.
fn signed_claims(
    body: &[u8],
    metadata: &Metadata,
    provider: &Provider,
) -> Result<Members, UserinfoError> {
    let payload = std::str::from_utf8(body)
        .ok()
        .and_then(|token| verified_payload(token.trim(), &metadata.keys, &metadata.algorithms))
        .ok_or(UserinfoError::Signature)?;
    let claims = Members::parse(&payload).ok_or(UserinfoError::NotJson)?;
    if claims
        .optional_text("iss")?
        .is_some_and(|issuer| issuer != provider.issuer)
    {
        return Err(InvalidMember::new("iss", "is another issuer").into());
    }
    let audiences = claims.optional_texts("aud")?;
    if audiences.is_some_and(|audiences| !audiences.contains(&provider.client_id.as_str())) {
        return Err(InvalidMember::new("aud", "is another client").into());
    }
    Ok(claims)
}

fn profile_of(claims: &Members, subject: &str) -> Result<Profile, UserinfoError> {
    if claims.text("sub")? == subject {
        Ok(Profile::read(claims))
    } else {
        Err(UserinfoError::AnotherUser)
    }
}
