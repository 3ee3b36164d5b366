//! `POST /auth/oidc/{provider}/link`

use std::sync::Arc;

use auth::{RecentlyAuthenticated, upstream::LoginPurpose};
use axum::{Json, extract::State};
use axum_extra::extract::CookieJar;
use http::HeaderMap;
use secrecy::ExposeSecret as _;
use wire::LinkStarted;

use crate::{
    error::Problem,
    extract::ProviderParam,
    state::{Auth, SiteInfo},
    web::cookie::CookieKind,
};

/// Start linking an identity of an OIDC provider to the account.
///
/// The browser continues at `location`.
#[utoipa::path(post, path = "/auth/oidc/{provider}/link", tag = "Accounts",
    params(("provider" = String, Path, description = "The id of a configured provider.")),
    responses(
        (status = 200, description = "The authorization URL of the provider.", body = LinkStarted),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ProviderParam(provider): ProviderParam,
    headers: HeaderMap,
) -> Result<(CookieJar, Json<LinkStarted>), Problem> {
    let redirect = auth
        .upstream()
        .start_login(
            &provider,
            LoginPurpose::Link(&caller),
            "/account".to_owned(),
            CookieKind::UpstreamLogin.read(&site, &headers),
        )
        .await?;
    let jar = CookieJar::new().add(CookieKind::UpstreamLogin.with(&site, &redirect.browser_token));
    Ok((
        jar,
        Json(LinkStarted {
            location: redirect.location.expose_secret().to_owned(),
        }),
    ))
}
