//! `POST /auth/me/email/send`

use auth::Interactive;
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract::ClientOrigin, state::Auth};

/// Send the confirmation link for the e-mail address again.
///
/// The earlier link becomes invalid.
#[utoipa::path(post, path = "/auth/me/email/send", tag = "Accounts", responses(
    (status = 202, description = "The link is queued for sending."),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
) -> Result<StatusCode, Problem> {
    auth.accounts()
        .resend_verification(&caller, &origin)
        .await?;
    Ok(StatusCode::ACCEPTED)
}
