//! The token request (`OpenID` Connect Core §3.1.3.1): exchanges the code for an ID token.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::{HeaderValue, Request, Response, header};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;

use super::{
    discovery::{ClientAuthentication, Metadata},
    http::{HttpError, ProviderHttp},
    login_state::LoginState,
    members::Members,
    provider::Provider,
};
use crate::{AuthError, error::UpstreamError};

/// Characters of a provider's error code in the log.
const MAX_LOGGED_CODE: usize = 60;

/// The tokens of a token response. Other members are ignored: `expires_in` has any type.
pub(super) struct Tokens {
    /// Not verified yet.
    pub(super) id_token: String,
    /// For the userinfo endpoint, if the token is a bearer token.
    pub(super) access_token: Option<SecretString>,
}

/// # Errors
/// `UpstreamError::ProviderRejected` if the provider refuses the code or this client;
/// `UpstreamError::ProviderUnavailable`; `UpstreamError::ProviderResponseUnusable`.
pub(super) async fn exchange_code(
    http: ProviderHttp<'_>,
    metadata: &Metadata,
    login: &LoginState,
    code: &SecretString,
) -> Result<Tokens, AuthError> {
    let provider = http.provider;
    let request = token_request(provider, metadata, login, code)?;
    let response = http.send(request).await.map_err(|error| {
        tracing::warn!(provider = %provider.id, %error, "provider token request failed");
        AuthError::Upstream(match error {
            HttpError::NotReached(_) => UpstreamError::ProviderUnavailable,
            HttpError::UnusableResponse(_) => UpstreamError::ProviderResponseUnusable,
        })
    })?;
    let status = response.status().as_u16();
    read_tokens(&response).map_err(|error| {
        tracing::warn!(provider = %provider.id, status, %error, "provider sent no usable tokens");
        AuthError::Upstream(error.into_upstream_error())
    })
}

fn token_request(
    provider: &Provider,
    metadata: &Metadata,
    login: &LoginState,
    code: &SecretString,
) -> Result<Request<Vec<u8>>, AuthError> {
    let invalid = |_| AuthError::Internal("token request could not be built");
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code.expose_secret())
        .append_pair("redirect_uri", &provider.redirect_uri)
        .append_pair("code_verifier", &login.verifier);
    let mut request = Request::post(metadata.token_endpoint.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match (metadata.client_authentication, &provider.client_secret) {
        (ClientAuthentication::Basic, Some(secret)) => {
            let mut credentials =
                HeaderValue::try_from(basic(&provider.client_id, secret.expose_secret()))
                    .map_err(|_| AuthError::Internal("client secret is not a header value"))?;
            credentials.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, credentials);
        }
        (ClientAuthentication::Post, Some(secret)) => {
            form.append_pair("client_id", &provider.client_id)
                .append_pair("client_secret", secret.expose_secret());
        }
        (ClientAuthentication::None, _) | (_, None) => {
            form.append_pair("client_id", &provider.client_id);
        }
    }
    request.body(form.finish().into_bytes()).map_err(invalid)
}

/// RFC 6749 §2.3.1: both are form-urlencoded before Basic's own encoding.
fn basic(client_id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(secret));
    format!("Basic {}", BASE64.encode(pair))
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
enum TokenResponseError {
    #[error("the response is not a JSON object")]
    NotJson,
    #[error("the provider reports the error {0}")]
    Refused(String),
    #[error("the member id_token is missing or is not a string")]
    NoIdToken,
}

impl TokenResponseError {
    fn into_upstream_error(self) -> UpstreamError {
        match self {
            Self::Refused(code) if code == "invalid_client" => UpstreamError::ProviderRejected(
                "the provider refused the credentials of this server".to_owned(),
            ),
            Self::Refused(_) => {
                UpstreamError::ProviderRejected("the provider rejected its own code".to_owned())
            }
            Self::NotJson | Self::NoIdToken => UpstreamError::ProviderResponseUnusable,
        }
    }
}

fn read_tokens(response: &Response<Vec<u8>>) -> Result<Tokens, TokenResponseError> {
    let members = Members::parse(response.body()).ok_or(TokenResponseError::NotJson)?;
    // Some providers report errors with status 200.
    let error = members.lenient_text("error");
    if error.is_some() || response.status().is_client_error() {
        return Err(TokenResponseError::Refused(loggable(
            error.unwrap_or("no error code"),
        )));
    }
    let id_token = members
        .lenient_text("id_token")
        .filter(|_| response.status().is_success())
        .ok_or(TokenResponseError::NoIdToken)?;
    let is_bearer = members
        .lenient_text("token_type")
        .is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    let access_token = members.lenient_text("access_token").filter(|_| is_bearer);
    Ok(Tokens {
        id_token: id_token.to_owned(),
        access_token: access_token.map(|token| token.to_owned().into()),
    })
}

/// The characters of an error code (RFC 6749 §5.2).
fn loggable(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c))
        .take(MAX_LOGGED_CODE)
        .collect()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::{Value, json};

    use super::*;

    fn tokens(status: StatusCode, body: &Value) -> Result<Tokens, TokenResponseError> {
        let mut response = Response::new(body.to_string().into_bytes());
        *response.status_mut() = status;
        read_tokens(&response)
    }

    #[test]
    fn token_response_members_of_any_type_are_ignored() {
        for member in [
            json!({"expires_in": "3600"}),
            json!({"expires_in": null}),
            json!({"expires_in": 3599.5}),
            json!({"expires_in": -1}),
            json!({"expires_in": [1]}),
            json!({"scope": ["openid"], "refresh_token": 7, "not_before": "0"}),
            json!({}),
        ] {
            let mut body =
                json!({"id_token": "a.b.c", "access_token": "x", "token_type": "bearer"});
            body.as_object_mut()
                .unwrap()
                .extend(member.as_object().unwrap().clone());
            let tokens = tokens(StatusCode::OK, &body).ok().unwrap();
            assert_eq!(tokens.id_token, "a.b.c", "{member}");
            assert!(tokens.access_token.is_some(), "{member}");
        }
    }

    #[test]
    fn access_token_is_kept_only_as_bearer_token() {
        for (kind, kept) in [
            (json!("Bearer"), true),
            (json!("BEARER"), true),
            (json!("bearer"), true),
            (json!(null), true),
            (json!("DPoP"), false),
            (json!("mac"), false),
        ] {
            let body = json!({"id_token": "a.b.c", "access_token": "x", "token_type": kind});
            let tokens = tokens(StatusCode::OK, &body).ok().unwrap();
            assert_eq!(tokens.access_token.is_some(), kept, "{kind}");
        }
    }

    #[test]
    fn failed_token_response_is_refused_or_unusable() {
        let ok = StatusCode::OK;
        for (status, body, refused) in [
            (
                StatusCode::BAD_REQUEST,
                json!({"error": "invalid_grant"}),
                true,
            ),
            (StatusCode::UNAUTHORIZED, json!({}), true),
            (
                ok,
                json!({"error": "invalid_grant", "id_token": "a.b.c"}),
                true,
            ),
            (ok, json!({"access_token": "x"}), false),
            (ok, json!({"id_token": {"a": 1}}), false),
            (ok, json!(["id_token"]), false),
            (StatusCode::FOUND, json!({"id_token": "a.b.c"}), false),
            (StatusCode::BAD_GATEWAY, json!({"id_token": "a.b.c"}), false),
        ] {
            let error = tokens(status, &body).err().unwrap();
            assert_eq!(
                matches!(error, TokenResponseError::Refused(_)),
                refused,
                "{status} {body}: {error}"
            );
        }
    }

    #[test]
    fn basic_credentials_are_form_urlencoded_first() {
        let encoded = basic("strong room", "a:b+c%d/é");
        let pair = BASE64.decode(encoded.strip_prefix("Basic ").unwrap());
        assert_eq!(pair.unwrap(), b"strong+room:a%3Ab%2Bc%25d%2F%C3%A9");
    }
}
