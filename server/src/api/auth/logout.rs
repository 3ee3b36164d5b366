//! `POST /auth/logout`

use std::sync::Arc;

use auth::AnySession;
use axum::extract::State;
use axum_extra::extract::CookieJar;
use http::{HeaderName, StatusCode};

use crate::{
    error::Problem,
    state::{Auth, SiteInfo},
    web::cookie,
};

/// Sign out.
///
/// The session ends with all its tokens and event streams.
#[utoipa::path(post, path = "/auth/logout", tag = "Accounts",
    responses((status = 204, description = "Signed out.")))]
pub async fn handle(
    AnySession(caller): AnySession,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
) -> Result<(StatusCode, CookieJar, [(HeaderName, &'static str); 1]), Problem> {
    auth.sessions().sign_out(&caller).await?;
    let jar = cookie::clear_session(&site);
    Ok((StatusCode::NO_CONTENT, jar, [cookie::CLEAR_SITE_DATA]))
}
