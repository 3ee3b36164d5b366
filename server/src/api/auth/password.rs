//! `PUT /auth/me/password`

use auth::{Password, RecentlyAuthenticated, accounts::self_service::OtherSessions};
use axum::extract::State;
use http::StatusCode;
use wire::ChangePassword;

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Change the password.
///
/// All other sessions of the account end, unless `end_other_sessions` is false.
#[utoipa::path(put, path = "/auth/me/password", tag = "Accounts", request_body = ChangePassword, responses(
    (status = 204, description = "Changed."),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<ChangePassword>,
) -> Result<StatusCode, Problem> {
    let others = if body.end_other_sessions {
        OtherSessions::End
    } else {
        OtherSessions::Keep
    };
    let [current, new] = [body.current_password, body.new_password].map(Password::new);
    auth.passwords()
        .change_password(&caller, current, new, others, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
