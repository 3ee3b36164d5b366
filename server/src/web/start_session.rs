//! The end of every sign-in in a browser: the session keeps the user's choice, and so does its cookie.

use auth::{AuthError, SignedIn};
use axum_extra::extract::cookie::Cookie;

use super::cookie::{self, Stay};
use crate::{site::SiteInfo, state::Auth};

/// The cookie of a session that has just begun.
pub(crate) async fn start_session(
    auth: &Auth,
    site: &SiteInfo,
    signed_in: &SignedIn,
    stay: Stay,
) -> Result<Cookie<'static>, AuthError> {
    if stay.is_chosen() {
        auth.sessions().stay_signed_in(signed_in).await?;
    }
    Ok(cookie::session(site, &signed_in.secret, stay))
}
