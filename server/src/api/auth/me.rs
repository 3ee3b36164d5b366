//! `GET /auth/me`

use auth::{Account, AnySession, Caller};
use axum::Json;
use wire::Me;

/// Who one is.
#[utoipa::path(get, path = "/auth/me", tag = "Accounts",
    responses((status = 200, description = "The account of the token.", body = Me)))]
pub async fn handle(AnySession(caller): AnySession) -> Json<Me> {
    Json(of(caller.account(), &caller))
}

/// The account as it is now; scopes and factors as of the session.
pub(crate) fn of(account: &Account, caller: &Caller) -> Me {
    Me {
        username: account.username.to_string(),
        display_name: account
            .display_name
            .as_ref()
            .map(|name| name.as_str().to_owned()),
        email: account
            .email
            .as_ref()
            .map(|email| email.as_str().to_owned()),
        email_verified: account.email_verified,
        is_admin: account.administrator,
        scopes: caller
            .session()
            .scopes
            .iter()
            .map(|grant| grant.as_str().to_owned())
            .collect(),
        mfa: caller.factors().is_enrolled(),
    }
}
