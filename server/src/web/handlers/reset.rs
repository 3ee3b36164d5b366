//! `/forgot` and `/reset`: a new password by link.

use std::sync::Arc;

use auth::{Anyone, AuthError, OwnPage, Password};
use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header};

use super::{enter::again, send};
use crate::{
    error::Problem,
    extract::{Form, From},
    state::{Auth, Site},
    web::{ForgotPage, ResetPage, Shell},
};

/// `GET /forgot`
pub(crate) async fn forgot_page(
    _: Anyone,
    State(site): State<Arc<Site>>,
) -> Result<Response, Problem> {
    send(StatusCode::OK, &forgot_form(&site))
}

fn forgot_form(site: &Site) -> ForgotPage {
    ForgotPage {
        shell: Shell::default(),
        message: None,
        sends_mail: site.config.mail.is_some(),
        asked: false,
    }
}

/// `POST /forgot`: the same page for whoever it is.
pub(crate) async fn forgot(
    _: OwnPage,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
    From(origin): From,
    mut form: Form,
) -> Result<Response, Problem> {
    let whom = form.take("account").unwrap_or_default();
    match auth.ask_reset(&whom, &origin).await {
        Ok(()) => send(
            StatusCode::OK,
            &ForgotPage {
                asked: true,
                ..forgot_form(&site)
            },
        ),
        Err(error) => {
            let problem = Problem::from(error);
            let page = ForgotPage {
                message: Some(problem.detail()),
                ..forgot_form(&site)
            };
            Ok(again(&problem, send(problem.status(), &page)?))
        }
    }
}

/// `GET /reset`: the token is in the fragment, so that it is in no log.
pub(crate) async fn reset_page(_: Anyone, State(auth): State<Auth>) -> Result<Response, Problem> {
    answer(StatusCode::OK, &reset_form(&auth))
}

/// Whose link it is, it does not know: where only administrators must have a second factor, it asks for what everybody
/// else needs.
fn reset_form(auth: &Auth) -> ResetPage {
    let least = auth.least_password(None);
    ResetPage {
        shell: Shell::default(),
        token: String::new(),
        message: None,
        done: false,
        over: false,
        least,
    }
}

fn answer(status: StatusCode, page: &ResetPage) -> Result<Response, Problem> {
    let mut response = send(status, page)?;
    // A form of our own pages has to say where it comes from, and nobody else hears of this page.
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}

/// `POST /reset`
pub(crate) async fn reset(
    _: OwnPage,
    State(auth): State<Auth>,
    From(origin): From,
    mut form: Form,
) -> Result<Response, Problem> {
    let token = form.take("token").unwrap_or_default();
    let password = Password::new(form.take("password").unwrap_or_default());
    match auth.reset_password(&token, password, &origin).await {
        Ok(()) => answer(
            StatusCode::OK,
            &ResetPage {
                done: true,
                ..reset_form(&auth)
            },
        ),
        Err(error) => {
            let over = matches!(error, AuthError::ResetOver);
            let problem = Problem::from(error);
            let page = ResetPage {
                over,
                token,
                message: Some(problem.detail()),
                ..reset_form(&auth)
            };
            Ok(again(&problem, answer(problem.status(), &page)?))
        }
    }
}
