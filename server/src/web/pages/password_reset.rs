//! `/forgot` and `/reset`: password reset by link.

use std::{fmt, sync::Arc};

use askama::Template;
use auth::{Anyone, AuthError, Password, SameOriginForm, error::AccountError};
use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header};

use crate::{
    error::Problem,
    extract::{ClientOrigin, Form},
    state::{Auth, SiteInfo},
    web::{
        Shell,
        pages::{send, sign_in::with_error_headers},
        visitor_shell::VisitorShell,
    },
};

/// `GET /forgot`, and `POST /forgot` with `asked` set. The form posts `account`.
#[derive(Debug, Template)]
#[template(path = "forgot.html")]
pub struct ForgotPage {
    pub shell: Shell,
    pub message: Option<String>,
    pub sends_mail: bool,
    pub is_requested: bool,
}

/// `GET /reset`, and `POST /reset` after an error or when done. The link is `/reset#<token>`, so
/// that no log contains the token.
///
/// The form posts `token` and `password`. A rejected password does not consume the token. A reset
/// does not sign in.
#[derive(Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    pub shell: Shell,
    pub token: String,
    pub message: Option<String>,
    pub done: bool,
    /// The link is used or expired, so the page shows no form.
    pub is_link_invalid: bool,
    pub min_length: usize,
}

/// Omits the secret token.
impl fmt::Debug for ResetPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetPage(…)")
    }
}

/// `GET /forgot`
pub(crate) async fn forgot_page(
    _: Anyone,
    State(site): State<Arc<SiteInfo>>,
    VisitorShell(shell): VisitorShell,
) -> Result<Response, Problem> {
    let page = forgot_page_of(&site);
    send(StatusCode::OK, &ForgotPage { shell, ..page })
}

fn forgot_page_of(site: &SiteInfo) -> ForgotPage {
    ForgotPage {
        shell: Shell::default(),
        message: None,
        sends_mail: site.config.mail.is_some(),
        is_requested: false,
    }
}

/// `POST /forgot`. The response does not reveal whether the account exists.
pub(crate) async fn forgot(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    mut form: Form,
) -> Result<Response, Problem> {
    let account = form.take("account").unwrap_or_default();
    match auth.passwords().request_reset(&account, &origin).await {
        Ok(()) => send(
            StatusCode::OK,
            &ForgotPage {
                is_requested: true,
                ..forgot_page_of(&site)
            },
        ),
        Err(error) => {
            let problem = Problem::from(error);
            let page = ForgotPage {
                message: Some(problem.detail()),
                ..forgot_page_of(&site)
            };
            Ok(with_error_headers(&problem, send(problem.status(), &page)?))
        }
    }
}

/// `GET /reset`. The token is in the fragment, so that no log contains it.
pub(crate) async fn reset_page(
    _: Anyone,
    State(auth): State<Auth>,
    VisitorShell(shell): VisitorShell,
) -> Result<Response, Problem> {
    let page = reset_page_of(&auth);
    respond(StatusCode::OK, &ResetPage { shell, ..page })
}

/// The page does not know the account. If only administrators must have a second factor, it shows
/// the minimum length for other users.
fn reset_page_of(auth: &Auth) -> ResetPage {
    let min_length = auth.passwords().min_password_length(None);
    ResetPage {
        shell: Shell::default(),
        token: String::new(),
        message: None,
        done: false,
        is_link_invalid: false,
        min_length,
    }
}

fn respond(status: StatusCode, page: &ResetPage) -> Result<Response, Problem> {
    let mut response = send(status, page)?;
    // Forms of this site must send their origin, but no other site may learn this URL.
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}

/// `POST /reset`
pub(crate) async fn reset(
    _: SameOriginForm,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    mut form: Form,
) -> Result<Response, Problem> {
    let token = form.take("token").unwrap_or_default();
    let password = Password::new(form.take("password").unwrap_or_default());
    match auth
        .passwords()
        .reset_password(&token, password, &origin)
        .await
    {
        Ok(()) => respond(
            StatusCode::OK,
            &ResetPage {
                done: true,
                ..reset_page_of(&auth)
            },
        ),
        Err(error) => {
            let is_link_invalid =
                matches!(error, AuthError::Account(AccountError::ResetLinkInvalid));
            let problem = Problem::from(error);
            let page = ResetPage {
                is_link_invalid,
                token,
                message: Some(problem.detail()),
                ..reset_page_of(&auth)
            };
            Ok(with_error_headers(
                &problem,
                respond(problem.status(), &page)?,
            ))
        }
    }
}
