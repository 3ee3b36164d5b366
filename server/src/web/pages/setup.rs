//! The first administrator, by the link that the server prints.

use std::sync::Arc;

use auth::{Account, Anyone, Origin, Password, SameOriginForm};
use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header};

use super::{
    send, sign_in,
    sign_up::{NewUser, SignUpForm, sign_in_new_user},
};
use crate::{
    error::Problem,
    extract::{ClientOrigin, Form},
    state::{Auth, SiteInfo},
    web::{SetupPage, Shell, visitor_shell::VisitorShell},
};

/// `GET /first`. The token is in the fragment, so that no log contains it.
pub(crate) async fn page(
    _: Anyone,
    State(auth): State<Auth>,
    VisitorShell(shell): VisitorShell,
) -> Result<Response, Problem> {
    let page = setup_page(&auth, SignUpForm::default(), String::new(), None).await?;
    respond(StatusCode::OK, &SetupPage { shell, ..page })
}

async fn setup_page(
    auth: &Auth,
    fields: SignUpForm,
    token: String,
    message: Option<String>,
) -> Result<SetupPage, Problem> {
    let SignUpForm {
        username,
        display_name,
        ..
    } = fields;
    let (is_open, min_length) = (
        auth.accounts().needs_administrator().await?,
        auth.passwords().min_password_length(None),
    );
    Ok(SetupPage {
        shell: Shell::default(),
        token,
        username,
        display_name,
        message,
        stays: fields.stay.is_chosen(),
        is_open,
        min_length,
    })
}

fn respond(status: StatusCode, page: &SetupPage) -> Result<Response, Problem> {
    let mut response = send(status, page)?;
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}

/// `POST /first`
pub(crate) async fn create_administrator(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    mut form_data: Form,
) -> Result<Response, Problem> {
    let fields = SignUpForm::from_form(&mut form_data);
    let token = form_data.take("token").unwrap_or_default();
    let password = form_data.take("password").unwrap_or_default();
    match register_administrator(&auth, (&token, &fields), password.clone(), &origin).await {
        Ok(account) => {
            let user = NewUser {
                username: account.username,
                password: Password::new(password),
                stay: fields.stay,
            };
            sign_in_new_user(&auth, &site, user, origin).await
        }
        Err(problem) => {
            let page = setup_page(&auth, fields, token, Some(problem.detail())).await?;
            Ok(sign_in::with_error_headers(
                &problem,
                respond(problem.status(), &page)?,
            ))
        }
    }
}

async fn register_administrator(
    auth: &Auth,
    (token, fields): (&str, &SignUpForm),
    password: String,
    origin: &Origin,
) -> Result<Account, Problem> {
    Ok(auth
        .accounts()
        .create_first_administrator(
            token,
            fields.registration_request(Password::new(password))?,
            origin,
        )
        .await?)
}
