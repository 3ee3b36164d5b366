//! `POST /auth/me/email/send`

use auth::Interactive;
use axum::extract::State;
use http::StatusCode;
use wire::ProblemBody;

use crate::{error::Problem, extract::From, state::Auth};

/// Have the link sent again that confirms one's own e-mail address. The one before is void.
#[utoipa::path(post, path = "/auth/me/email/send", tag = "Accounts", responses(
    (status = 202, description = "The link is on its way."),
    (status = 409, description = "There is no address to confirm, or no letters are sent from here.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many letters.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    From(origin): From,
) -> Result<StatusCode, Problem> {
    auth.resend_verification(&caller, &origin).await?;
    Ok(StatusCode::ACCEPTED)
}
