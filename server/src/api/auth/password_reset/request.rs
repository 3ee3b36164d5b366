//! `POST /auth/reset`

use auth::Anyone;
use axum::extract::State;
use http::StatusCode;
use wire::RequestReset;

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Request a password reset link by mail.
///
/// The response is the same for existing and unknown accounts.
#[utoipa::path(post, path = "/auth/reset", tag = "Accounts", request_body = RequestReset, responses(
    (status = 202, description = "Accepted. An existing account with an e-mail address gets a link."),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<RequestReset>,
) -> Result<StatusCode, Problem> {
    auth.passwords()
        .request_reset(&body.account, &origin)
        .await?;
    Ok(StatusCode::ACCEPTED)
}
