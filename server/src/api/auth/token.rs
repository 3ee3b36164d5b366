//! `POST /auth/token`: the token endpoint of OAuth 2 (RFC 6749 §3.2). It also accepts the form of
//! FastAPI's `OAuth2PasswordRequestForm`.
//!
//! It departs from the standards twice, for clients of the original application. It supports the
//! password grant (RFC 9700 §2.4; `password_grant = "off"` removes it). A wrong password is 401
//! instead of 400 (RFC 6749 §5.2).

use std::sync::Arc;

use auth::{
    Anyone, AuthorizationCodeGrant, OneTimeCode, Password, Scopes, model::scope::UnknownScope,
    service::TokenResponse as IssuedTokens, session::sign_in::SignInProof,
};
use axum::{Json, extract::State};
use http::{HeaderMap, HeaderValue, header};
use secrecy::ExposeSecret;
use wire::{TokenError, TokenForm, TokenResponse};

use crate::{
    config::Switch,
    error::{OAuthProblem, Problem},
    extract::{Form, From},
    state::{Auth, Site},
};

/// Issue an access token and a refresh token (RFC 6749 §3.2).
///
/// The grant is a password, a refresh token, a device code (RFC 8628) or an authorization code (RFC 7636).
#[utoipa::path(post, path = "/auth/token", tag = "Accounts",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
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
    State(site): State<Arc<Site>>,
    From(origin): From,
    form: Result<Form, Problem>,
) -> Result<(HeaderMap, Json<TokenResponse>), OAuthProblem> {
    let mut form = form?;
    let tokens = match form.take("grant_type").as_deref() {
        None | Some("password") if site.config.password_grant == Switch::Off => {
            return Err(unsupported("The password grant is turned off."));
        }
        None | Some("password") => {
            let username = form.need("username")?;
            let password = Password::new(form.need("password")?);
            let grants = narrower(form.take("scope"))?.unwrap_or(Scopes::ALL);
            let code = form.take("otp").map(|otp| OneTimeCode::parse(&otp));
            auth.oauth()
                .token_with_scopes(grants, &username, SignInProof { password, code }, origin)
                .await?
        }
        Some("refresh_token") => {
            let scope = narrower(form.take("scope"))?;
            let client = form.take("client_id");
            auth.oauth()
                .refresh(
                    &form.need("refresh_token")?,
                    client.as_deref(),
                    scope,
                    origin,
                )
                .await?
        }
        Some("urn:ietf:params:oauth:grant-type:device_code") => {
            let client = form.take("client_id");
            auth.oauth()
                .device_token(&form.need("device_code")?, client.as_deref(), origin)
                .await?
        }
        Some("authorization_code") => {
            auth.oauth()
                .exchange_code(redemption(&mut form)?, origin)
                .await?
        }
        Some(_) => return Err(unsupported("This grant type is not supported.")),
    };
    Ok((uncached(), Json(response(&tokens))))
}

/// RFC 6749 §4.1.3, RFC 7636 §4.5.
fn redemption(form: &mut Form) -> Result<AuthorizationCodeGrant, Problem> {
    Ok(AuthorizationCodeGrant {
        code: form.need("code")?.into(),
        client: form.need("client_id")?,
        redirect_uri: form.need("redirect_uri")?,
        verifier: form.need("code_verifier")?.into(),
    })
}

/// The requested scope (RFC 6749 §3.3 and §6). It can narrow the default, never widen it. `None`
/// means the default. An empty value counts as absent, because FastAPI's forms send one.
fn narrower(asked: Option<String>) -> Result<Option<Scopes>, Problem> {
    let unknown = |error: UnknownScope| Problem::OAuth {
        code: "invalid_scope",
        detail: error.to_string(),
    };
    let asked = asked.filter(|scope| !scope.trim().is_empty());
    asked
        .map(|scope| Scopes::parse(&scope))
        .transpose()
        .map_err(unknown)
}

fn unsupported(detail: &str) -> OAuthProblem {
    OAuthProblem(Problem::OAuth {
        code: "unsupported_grant_type",
        detail: detail.to_owned(),
    })
}

fn response(tokens: &IssuedTokens) -> TokenResponse {
    TokenResponse {
        access_token: tokens.access_token.expose_secret().to_owned(),
        token_type: "bearer".to_owned(),
        expires_in: tokens.expires_in.as_secs(),
        refresh_token: tokens.refresh_token.expose().to_owned(),
        scope: tokens.scope.clone(),
    }
}

/// RFC 6749 §5.1.
pub(crate) fn uncached() -> HeaderMap {
    HeaderMap::from_iter([
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ])
}
