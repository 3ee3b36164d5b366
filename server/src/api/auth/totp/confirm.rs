//! `POST /auth/totp/confirm`

use auth::{EnrollmentSession, OneTimeCode};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::{ConfirmTotp, FactorAdded, ProblemBody};

use crate::{
    api::auth::factors::added,
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Turn the app on, with the code that it shows. Other sessions end; this one has its second factor from here on.
#[utoipa::path(post, path = "/auth/totp/confirm", tag = "Second factors", request_body = ConfirmTotp, responses(
    (status = 201, description = "On. With the first factor come recovery codes, shown this once.", body = FactorAdded),
    (status = 409, description = "Nothing was begun by this session, or too long ago.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    EnrollmentSession(caller): EnrollmentSession,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<ConfirmTotp>,
) -> Result<(StatusCode, Json<FactorAdded>), Problem> {
    let done = auth
        .confirm_totp(&caller, &OneTimeCode::parse(&body.code), &origin)
        .await?;
    Ok((StatusCode::CREATED, Json(added(&done))))
}
