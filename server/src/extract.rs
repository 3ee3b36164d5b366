//! Extractors for handlers, besides their doors. Input that cannot be parsed is a [`Problem`].

mod boolean;
mod form;

use std::net::SocketAddr;

use auth::model::visible_text::without_hidden;
use auth::{GroupName, Origin, Username, store::NetworkPrefix};
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{
    ConnectInfo, FromRequest, FromRequestParts, OptionalFromRequest, Query as QueryOf,
    RawPathParams, Request, rejection::QueryRejection,
};
use bytes::Bytes;
use http::{HeaderMap, Uri, header, request::Parts};
use serde::de::DeserializeOwned;
use vault::{Filename, store::IdempotencyKey, vault::Precheck};
use wire::FieldError;

use crate::{
    client_ip::client_address,
    error::Problem,
    middleware::buffer_and_detach::{self, BodyError},
    state::AppState,
    web::device_cookie::DeviceCookie,
};

pub use boolean::parse_boolean;
pub use form::Form;

/// A JSON body, at most 64 KiB. An unknown or invalid member is 422 with a pointer to it.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::MediaType("application/json"));
        }
        parse_json(&read_body(request).await?).map(Self)
    }
}

/// An optional body.
impl<T: DeserializeOwned> OptionalFromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Option<Self>, Problem> {
        let json = is_json(request.headers());
        // An upload is not buffered yet (`whole`), and nothing after the door limits its time.
        if buffer_and_detach::is_upload(request.headers()) {
            return Err(Problem::MediaType("application/json"));
        }
        let bytes = read_body(request).await?;
        // For an optional note, clients send nothing, blanks, or null.
        if matches!(bytes.trim_ascii(), b"" | b"null") {
            return Ok(None);
        }
        if !json {
            return Err(Problem::MediaType("application/json"));
        }
        parse_json(&bytes).map(|body| Some(Self(body)))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    has_media_type(headers, "application/json")
}

/// Whether the body has that media type, with any parameters (RFC 9110 §8.3.1).
fn has_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
}

async fn read_body(request: Request) -> Result<Bytes, Problem> {
    buffer_and_detach::read_body(request.into_body())
        .await
        .map_err(BodyError::into_problem)
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde would accept an array for a struct, member by member.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::invalid("", "The body is not a JSON object."));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let at = error.path().to_string().replace('.', "/");
        let pointer = if at == "/" || at.is_empty() {
            String::new()
        } else {
            format!("/{at}")
        };
        Problem::invalid(
            pointer,
            format!(
                "The JSON does not match the schema: {}.",
                without_input(error.inner())
            ),
        )
    })?;
    json.end()
        .map_err(|_| Problem::invalid("", "The body has data after the JSON object."))?;
    Ok(value)
}

/// serde's message without the position, which does not help users, and without the received value,
/// which may be a misplaced secret.
fn without_input(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text);
    let prefix = ["invalid type: ", "invalid value: ", "unknown variant "]
        .iter()
        .find(|prefix| text.starts_with(**prefix));
    let Some((prefix, (value, wanted))) = prefix.zip(text.rsplit_once(", expected ")) else {
        return text.to_owned();
    };
    let kind = value[prefix.len()..]
        .split(['"', '`'])
        .next()
        .unwrap_or_default();
    format!("{}, expected {wanted}", [prefix, kind].concat().trim_end())
}

/// The `{filename}` of the path: one segment, percent-decoded once.
#[derive(Debug)]
pub struct FilenameParam(pub Filename);

impl FromRequestParts<AppState> for FilenameParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let raw = path_param(parts, state, "filename").await?;
        Filename::parse(&raw)
            .map(Self)
            .map_err(|error| Problem::invalid("#filename", error))
    }
}

/// The `{username}` of the path. A malformed name is 404.
#[derive(Debug)]
pub struct UsernameParam(pub Username);

impl FromRequestParts<AppState> for UsernameParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let raw = path_param(parts, state, "username").await?;
        Username::parse(&raw).map(Self).map_err(|_| {
            Problem::Auth(auth::AuthError::Account(
                auth::error::AccountError::NoSuchAccount,
            ))
        })
    }
}

/// The `{group}` of the path. A malformed name is 404.
#[derive(Debug)]
pub struct GroupParam(pub GroupName);

impl FromRequestParts<AppState> for GroupParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let raw = path_param(parts, state, "group").await?;
        GroupName::parse(&raw).map(Self).map_err(|_| {
            Problem::Auth(auth::AuthError::Account(
                auth::error::AccountError::NoSuchGroup,
            ))
        })
    }
}

/// The `{address}` of the path, as a network.
#[derive(Debug)]
pub struct NetworkParam(pub NetworkPrefix);

impl FromRequestParts<AppState> for NetworkParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let raw = path_param(parts, state, "address").await?;
        NetworkPrefix::parse(&raw)
            .map(Self)
            .ok_or(Problem::Auth(auth::AuthError::Account(
                auth::error::AccountError::LockoutNotFound,
            )))
    }
}

/// The `{id}` of the path.
#[derive(Debug)]
pub struct IdParam(pub String);

impl FromRequestParts<AppState> for IdParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        path_param(parts, state, "id").await.map(Self)
    }
}

/// The `{provider}` of the path.
#[derive(Debug)]
pub struct ProviderParam(pub String);

impl FromRequestParts<AppState> for ProviderParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        path_param(parts, state, "provider").await.map(Self)
    }
}

/// A path parameter, percent-decoded once by the router.
pub async fn path_param(
    parts: &mut Parts,
    state: &AppState,
    name: &str,
) -> Result<String, Problem> {
    let params = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Problem::invalid(format!("#{name}"), "This path segment is not UTF-8."))?;
    let found = params
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned());
    found.ok_or_else(|| Problem::Internal(format!("the route has no parameter {{{name}}}")))
}

/// The query. An unknown or invalid parameter is 422. A parameter without a value counts as absent,
/// as OAuth requires (RFC 6749 §3.1) and forms need.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let has_value = |pair: &&str| {
            pair.split_once('=')
                .is_none_or(|(_, value)| !value.is_empty())
        };
        let query = parts
            .uri
            .query()
            .unwrap_or("")
            .split('&')
            .filter(has_value)
            .collect::<Vec<_>>()
            .join("&");
        let uri = Uri::try_from(format!("/?{query}"))
            .map_err(|_| Problem::invalid("", "The query string is malformed."))?;
        let query = QueryOf::<T>::try_from_uri(&uri)
            .map_err(|error| Problem::Invalid(vec![query_error(&error)]))?;
        Ok(Self(query.0))
    }
}

fn query_error(error: &QueryRejection) -> FieldError {
    let text = error.body_text();
    let detail = text.rsplit("string: ").next().unwrap_or(&text);
    let (name, reason) = detail.split_once(": ").unwrap_or(("", detail));
    FieldError {
        pointer: format!("#{name}"),
        detail: format!("This parameter is invalid: {reason}."),
    }
}

/// The `Idempotency-Key` of a change (draft-ietf-httpapi-idempotency-key-header), not yet bound to
/// its request.
#[derive(Clone, Debug)]
pub struct IdempotencyHeader(Option<(String, String)>);

impl IdempotencyHeader {
    /// Binds the key to the request: method, target and `content` (the parsed body). Another
    /// request with the same key then fails.
    #[must_use]
    pub fn key_for(self, content: &str) -> Option<IdempotencyKey> {
        let (key, request) = self.0?;
        let fingerprint = hex::encode(digest(&SHA256, format!("{request}\n{content}").as_bytes()));
        Some(IdempotencyKey { key, fingerprint })
    }
}

impl IdempotencyHeader {
    /// Whether this may be a retry that must get the response of the first attempt.
    #[must_use]
    pub fn precheck(&self) -> Precheck {
        if self.0.is_some() {
            Precheck::SkipForRetry
        } else {
            Precheck::Run
        }
    }
}

impl FromRequestParts<AppState> for IdempotencyHeader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let key = value
            .to_str()
            .ok()
            .filter(|key| (1..=255).contains(&key.len()));
        let key = key.ok_or_else(|| {
            Problem::invalid(
                "#Idempotency-Key",
                "An Idempotency-Key has 1 to 255 visible ASCII characters.",
            )
        })?;
        Ok(Self(Some((
            key.to_owned(),
            format!("{} {}", parts.method, parts.uri),
        ))))
    }
}

/// The origin of the request: the peer, or the client that a trusted proxy names.
#[derive(Debug)]
pub struct ClientOrigin(pub Origin);

impl FromRequestParts<AppState> for ClientOrigin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let origin = client_origin(parts, state)
            .ok_or_else(|| Problem::Internal("the request has no peer address".to_owned()))?;
        // A sign-in by this request can mark the browser as known, so a browser without a token
        // gets one.
        Ok(Self(Origin {
            device: parts
                .extensions
                .get::<DeviceCookie>()
                .map(DeviceCookie::hash),
            ..origin
        }))
    }
}

/// The origin, with the browser's token only if the request has one. Generating one would cost more
/// than the rest of a signed-in request.
pub(crate) fn client_origin(parts: &Parts, state: &AppState) -> Option<Origin> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip();
    let address = client_address(peer, &parts.headers, &state.site.config.trusted_proxies);
    let user_agent = parts
        .headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let user_agent = user_agent.map(|text| without_hidden(text).chars().take(256).collect());
    let device = parts
        .extensions
        .get::<DeviceCookie>()
        .and_then(DeviceCookie::presented);
    Some(Origin {
        address,
        user_agent,
        device,
    })
}

#[cfg(test)]
mod tests;
