//! Confirmation of a new e-mail address by link.

use askama::Template;
use auth::{Anyone, SameOriginForm};
use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header};

use crate::{
    error::Problem,
    extract::{ClientOrigin, Form},
    state::Auth,
    web::{
        Shell,
        pages::{send, sign_in},
    },
};

/// `GET /confirm-email`, and the response of `POST /confirm-email`: `done`, or a message. The link
/// is `/confirm-email#<token>`, so that no log contains the token. The form posts `token`.
#[derive(Debug, Template)]
#[template(path = "confirm-email.html")]
pub struct ConfirmEmailPage {
    pub shell: Shell,
    pub message: Option<String>,
    pub done: bool,
}

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
            Ok(sign_in::with_error_headers(
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
