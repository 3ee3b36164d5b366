//! `POST /auth/reset/confirm`

use auth::{Anyone, Password};
use axum::extract::State;
use http::StatusCode;
use wire::ConfirmReset;

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Set a new password with a reset link.
///
/// All sessions and personal access tokens of the account end. The call creates no session.
#[utoipa::path(post, path = "/auth/reset/confirm", tag = "Accounts", request_body = ConfirmReset, responses(
    (status = 204, description = "The password is set."),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<ConfirmReset>,
) -> Result<StatusCode, Problem> {
    auth.passwords()
        .reset_password(&body.token, Password::new(body.new_password), &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
