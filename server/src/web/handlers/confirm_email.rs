//! Confirmation of a new e-mail address by link.

use auth::{Anyone, SameOriginForm};
use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header};

use super::{enter, send};
use crate::{
    error::Problem,
    extract::{ClientOrigin, Form},
    state::Auth,
    web::{ConfirmEmailPage, Shell},
};

/// `GET /confirm-email`. Opening the link confirms nothing, because mail programs fetch links on
/// their own.
pub(crate) async fn page(_: Anyone) -> Result<Response, Problem> {
    respond(
        StatusCode::OK,
        &ConfirmEmailPage {
            shell: Shell::default(),
            message: None,
            done: false,
        },
    )
}

/// `POST /confirm-email`
pub(crate) async fn confirm(
    _: SameOriginForm,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    mut form: Form,
) -> Result<Response, Problem> {
    let token = form.take("token").unwrap_or_default();
    match auth
        .accounts()
        .confirm_email(&token, &origin)
        .await
        .map_err(Problem::from)
    {
        Ok(_) => respond(
            StatusCode::OK,
            &ConfirmEmailPage {
                shell: Shell::default(),
                message: None,
                done: true,
            },
        ),
        Err(problem) => {
            let message = Some(problem.detail());
            let page = ConfirmEmailPage {
                shell: Shell::default(),
                message,
                done: false,
            };
            Ok(enter::with_error_headers(
                &problem,
                respond(problem.status(), &page)?,
            ))
        }
    }
}

fn respond(status: StatusCode, page: &ConfirmEmailPage) -> Result<Response, Problem> {
    let mut response = send(status, page)?;
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}
