//! `GET /auth/me`

use auth::{Account, AnySession, Caller};
use axum::Json;
use wire::Me;

/// Show the caller's account.
#[utoipa::path(get, path = "/auth/me", tag = "Accounts",
    responses((status = 200, description = "The account, and the scopes of the session.", body = Me)))]
pub async fn handle(AnySession(caller): AnySession) -> Json<Me> {
    Json(me_of(caller.account(), &caller))
}

/// The current account. Scopes and factors are those of the session.
pub(crate) fn me_of(account: &Account, caller: &Caller) -> Me {
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
