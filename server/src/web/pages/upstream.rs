//! Sign-in through an upstream `OpenID` provider: redirect and callback.

use std::sync::Arc;

use askama::Template;
use auth::{
    Anyone,
    access::extract::OptionalCaller,
    upstream::{Callback, CallbackResult, LoginPurpose},
};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::{
    error::Problem,
    extract::{ClientOrigin, ProviderParam, Query, parse_boolean},
    state::{Auth, SiteInfo},
    web::{
        Shell,
        cookie::{CookieKind, Stay},
        format, local_path,
        pages::{send, sign_in},
    },
};

/// `Continue with …`
#[derive(Clone, Debug)]
pub struct ProviderButton {
    pub id: String,
    pub name: String,
    pub has_icon: bool,
}

impl ProviderButton {
    /// Starts the sign-in and returns to `next`.
    pub fn url(&self, next: &str) -> String {
        format!("/auth/oidc/{}?next={}", self.id, format::segment(next))
    }
}

/// The page after a failed sign-in through a provider.
#[derive(Debug, Template)]
#[template(path = "provider-error.html")]
pub struct UpstreamPage {
    pub shell: Shell,
    /// The name of the provider, if the id is known.
    pub provider: Option<String>,
    pub message: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct LoginQuery {
    next: Option<String>,
    /// The provider must authenticate the user again.
    again: Option<String>,
    /// The user stays signed in.
    stay: Option<String>,
}

/// `GET /auth/oidc/{provider}`
pub(crate) async fn start_login(
    _: Anyone,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ProviderParam(provider): ProviderParam,
    (headers, Query(query)): (HeaderMap, Query<LoginQuery>),
) -> Result<Response, Problem> {
    let again = query.again.as_deref().map(parse_boolean);
    let purpose = match again {
        None | Some(Some(false)) => LoginPurpose::SignIn,
        Some(Some(true)) => LoginPurpose::Reauthenticate,
        Some(None) => {
            return Err(Problem::invalid(
                "#again",
                "The value must be true or false.",
            ));
        }
    };
    let next = local_path(query.next.as_deref()).to_owned();
    match auth
        .upstream()
        .start_login(
            &provider,
            purpose,
            next,
            CookieKind::UpstreamLogin.read(&site, &headers),
        )
        .await
    {
        Ok(redirect) => {
            let stay = Stay::from_field(query.stay.as_deref());
            let jar = CookieJar::new()
                .add(CookieKind::UpstreamLogin.with(&site, &redirect.browser_token))
                .add(stay.cookie(&site));
            Ok((jar, Redirect::to(redirect.location.expose_secret())).into_response())
        }
        Err(error) => error_response(&auth, &provider, &error.into()),
    }
}

#[derive(Deserialize)]
pub(crate) struct CallbackQuery {
    #[serde(default)]
    state: String,
    code: Option<SecretString>,
    error: Option<String>,
    iss: Option<String>,
}

/// `GET /auth/oidc/{provider}/callback`
pub(crate) async fn callback(
    OptionalCaller(caller): OptionalCaller,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ProviderParam(provider): ProviderParam,
    (ClientOrigin(origin), headers, Query(query)): (ClientOrigin, HeaderMap, Query<CallbackQuery>),
) -> Result<Response, Problem> {
    let browser = CookieKind::UpstreamLogin.read(&site, &headers);
    let outcome = query
        .code
        .ok_or_else(|| sanitize_code(query.error.as_deref().unwrap_or("no error code")));
    let callback = Callback {
        state: query.state.into(),
        outcome,
        issuer: query.iss,
        browser_token: browser,
    };
    match auth
        .upstream()
        .handle_callback(&provider, callback, caller, origin)
        .await
    {
        Ok(CallbackResult::SignedIn { step, next }) => {
            let stay = Stay::from_first_step(&site, &headers);
            sign_in::after_password(&auth, &site, step, &next, stay).await
        }
        Ok(CallbackResult::Returned(next)) => Ok(Redirect::to(&next).into_response()),
        Err(error) => error_response(&auth, &provider, &error.into()),
    }
}

/// `GET /auth/oidc/{provider}/icon`, served only as an image.
pub(crate) async fn icon(
    _: Anyone,
    State(site): State<Arc<SiteInfo>>,
    ProviderParam(provider): ProviderParam,
) -> Result<Response, Problem> {
    let icon = site
        .config
        .providers
        .icon(&provider)
        .ok_or(Problem::NoRoute)?;
    let mut response = icon.bytes.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(icon.kind));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=3600"),
    );
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// The error code of a provider. Anyone can forge this parameter, so little of it is shown.
fn sanitize_code(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == ' ')
        .take(60)
        .collect()
}

fn error_response(auth: &Auth, provider: &str, problem: &Problem) -> Result<Response, Problem> {
    let name = auth
        .upstream()
        .providers()
        .iter()
        .find(|provider_info| provider_info.id == provider)
        .map(|provider_info| provider_info.name.clone());
    let page = UpstreamPage {
        shell: Shell::default(),
        provider: name,
        message: problem.detail(),
    };
    let status = if problem.status() == StatusCode::UNAUTHORIZED {
        StatusCode::FORBIDDEN
    } else {
        problem.status()
    };
    send(status, &page)
}
