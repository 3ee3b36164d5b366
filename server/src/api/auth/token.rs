//! `POST /auth/token`: the token endpoint of OAuth 2 (RFC 6749 §3.2). It also accepts the form of
//! FastAPI's `OAuth2PasswordRequestForm`.
//!
//! It departs from the standards twice, for clients of the original application. It supports the
//! password grant (RFC 9700 §2.4; `password_grant = "off"` removes it). A wrong password is 401
//! instead of 400 (RFC 6749 §5.2).

use std::sync::Arc;

use auth::{
    Anyone, AuthorizationCodeGrant, OneTimeCode, Password, Scopes, model::scope::UnknownScope,
    oauth::token::TokenResponse as IssuedTokens, session::sign_in::SignInProof,
};
use axum::{Json, extract::State};
use http::{HeaderMap, HeaderValue, header};
use secrecy::ExposeSecret;
use wire::{TokenError, TokenRequest, TokenResponse};

use crate::{
    config::Toggle,
    error::{OAuthProblem, Problem},
    extract::{ClientOrigin, Form},
    state::{Auth, SiteInfo},
};

/// Issue an access token and a refresh token (RFC 6749 §3.2).
///
/// The grant is a password, a refresh token, a device code (RFC 8628) or an authorization code (RFC
/// 7636).
#[utoipa::path(post, path = "/auth/token", tag = "Accounts",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens.", body = TokenResponse),
        (status = 400, description = "The form is malformed (`invalid_request`), the scope is unknown (`invalid_scope`), or the refresh token or code is invalid (`invalid_grant`).", body = TokenError),
        (status = 401, description = "The username or password is incorrect (`invalid_grant`), or the account needs `otp` too (`mfa_required`).", body = TokenError),
        (status = 413, description = "The request body is too large.", body = TokenError),
        (status = 415, description = "The media type is not a form.", body = TokenError),
        (status = 429, description = "Too many attempts.", body = TokenError),
        (status = 503, description = "The password hasher is busy. `Retry-After` has the delay in seconds.", body = TokenError),
    ))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    form: Result<Form, Problem>,
) -> Result<(HeaderMap, Json<TokenResponse>), OAuthProblem> {
    let mut form = form?;
    let tokens = match form.take("grant_type").as_deref() {
        None | Some("password") if site.config.password_grant == Toggle::Off => {
            return Err(unsupported_grant_type("The password grant is turned off."));
        }
        None | Some("password") => {
            let username = form.require("username")?;
            let password = Password::new(form.require("password")?);
            let grants = parse_scope(form.take("scope"))?.unwrap_or(Scopes::ALL);
            let code = form.take("otp").map(|otp| OneTimeCode::parse(&otp));
            auth.oauth()
                .token_with_scopes(grants, &username, SignInProof { password, code }, origin)
                .await?
        }
        Some("refresh_token") => {
            let scope = parse_scope(form.take("scope"))?;
            let client = form.take("client_id");
            auth.oauth()
                .refresh(
                    &form.require("refresh_token")?,
                    client.as_deref(),
                    scope,
                    origin,
                )
                .await?
        }
        Some("urn:ietf:params:oauth:grant-type:device_code") => {
            let client = form.take("client_id");
            auth.oauth()
                .device_token(&form.require("device_code")?, client.as_deref(), origin)
                .await?
        }
        Some("authorization_code") => {
            auth.oauth()
                .exchange_code(parse_code_grant(&mut form)?, origin)
                .await?
        }
        Some(_) => return Err(unsupported_grant_type("This grant type is not supported.")),
    };
    Ok((no_store_headers(), Json(wire_tokens(&tokens))))
}

/// RFC 6749 §4.1.3, RFC 7636 §4.5.
fn parse_code_grant(form: &mut Form) -> Result<AuthorizationCodeGrant, Problem> {
    Ok(AuthorizationCodeGrant {
        code: form.require("code")?.into(),
        client: form.require("client_id")?,
        redirect_uri: form.require("redirect_uri")?,
        verifier: form.require("code_verifier")?.into(),
    })
}

/// The requested scope (RFC 6749 §3.3 and §6). It can narrow the default, never widen it. `None`
/// means the default. An empty value counts as absent, because FastAPI's forms send one.
fn parse_scope(requested: Option<String>) -> Result<Option<Scopes>, Problem> {
    let unknown = |error: UnknownScope| Problem::OAuth {
        code: "invalid_scope",
        detail: error.to_string(),
    };
    let requested = requested.filter(|scope| !scope.trim().is_empty());
    requested
        .map(|scope| Scopes::parse(&scope))
        .transpose()
        .map_err(unknown)
}

fn unsupported_grant_type(detail: &str) -> OAuthProblem {
    OAuthProblem(Problem::OAuth {
        code: "unsupported_grant_type",
        detail: detail.to_owned(),
    })
}

fn wire_tokens(tokens: &IssuedTokens) -> TokenResponse {
    TokenResponse {
        access_token: tokens.access_token.expose_secret().to_owned(),
        token_type: "bearer".to_owned(),
        expires_in: tokens.expires_in.as_secs(),
        refresh_token: tokens.refresh_token.expose().to_owned(),
        scope: tokens.scope.clone(),
    }
}

/// RFC 6749 §5.1.
pub(crate) fn no_store_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ])
}
