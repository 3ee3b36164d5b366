//! Acceptance of an invitation.

use std::{fmt, sync::Arc};

use askama::Template;
use auth::{Account, Anyone, Origin, Password, SameOriginForm, settings::Registration};
use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header};

use crate::{
    error::Problem,
    extract::{ClientOrigin, Form},
    state::{Auth, SiteInfo},
    web::{
        Shell,
        pages::{
            send, sign_in,
            sign_up::{NewUser, SignUpForm, sign_in_new_user},
        },
        visitor_shell::VisitorShell,
    },
};

/// `GET /join`, and `POST /join` after an error. The link is `/join#<token>`, so that no log
/// contains the token.
///
/// The form posts `invite`, `username`, `display_name`, `email`, `password`. The handler supplies
/// the entered values, including the token, because a rejected password does not consume it. `open`
/// is false if registration is closed. On success: signed in, and 303 to `/`.
#[derive(Template)]
#[template(path = "accept-invitation.html")]
pub struct AcceptInvitationPage {
    pub shell: Shell,
    pub token: String,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub message: Option<String>,
    pub stays: bool,
    pub is_open: bool,
    pub min_length: usize,
}

/// Omits the secret token.
impl fmt::Debug for AcceptInvitationPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptInvitationPage(…)")
    }
}

/// `GET /join`. The token is in the fragment, so that no log contains it.
pub(crate) async fn page(
    _: Anyone,
    State(auth): State<Auth>,
    VisitorShell(shell): VisitorShell,
) -> Result<Response, Problem> {
    let page = accept_page(&auth, SignUpForm::default(), String::new(), None);
    respond(StatusCode::OK, &AcceptInvitationPage { shell, ..page })
}

fn accept_page(
    auth: &Auth,
    fields: SignUpForm,
    token: String,
    message: Option<String>,
) -> AcceptInvitationPage {
    let SignUpForm {
        username,
        display_name,
        email,
        stay,
    } = fields;
    let (is_open, min_length) = (
        auth.settings().registration != Registration::Closed,
        auth.passwords().min_password_length(None),
    );
    AcceptInvitationPage {
        shell: Shell::default(),
        token,
        username,
        display_name,
        email,
        message,
        stays: stay.is_chosen(),
        is_open,
        min_length,
    }
}

fn respond(status: StatusCode, page: &AcceptInvitationPage) -> Result<Response, Problem> {
    let mut response = send(status, page)?;
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}

/// `POST /join`
pub(crate) async fn accept(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    mut form_data: Form,
) -> Result<Response, Problem> {
    let fields = SignUpForm::from_form(&mut form_data);
    let token = form_data.take("invite").unwrap_or_default();
    let password = form_data.take("password").unwrap_or_default();
    match register(&auth, (&fields, password.clone()), &token, &origin).await {
        Ok(account) => {
            let user = NewUser {
                username: account.username,
                password: Password::new(password),
                stay: fields.stay,
            };
            sign_in_new_user(&auth, &site, user, origin).await
        }
        Err(problem) => {
            let page = accept_page(&auth, fields, token, Some(problem.detail()));
            Ok(sign_in::with_error_headers(
                &problem,
                respond(problem.status(), &page)?,
            ))
        }
    }
}

async fn register(
    auth: &Auth,
    (fields, password): (&SignUpForm, String),
    token: &str,
    origin: &Origin,
) -> Result<Account, Problem> {
    Ok(auth
        .invitations()
        .accept_invitation(
            fields.registration_request(Password::new(password))?,
            token,
            origin,
        )
        .await?)
}
