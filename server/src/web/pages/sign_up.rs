//! Registration.

use std::sync::Arc;

use askama::Template;
use auth::{
    Account, DisplayName, EmailAddress, Origin, Password, SameOriginForm, SessionKind, Username,
    access::extract::OptionalCaller, accounts::registration::RegistrationRequest,
};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use http::StatusCode;

use super::sign_in::{SignUpAvailability, sign_up_availability, with_error_headers};
use crate::{
    api::auth::register::parse_optional,
    error::Problem,
    extract::{ClientOrigin, Form},
    state::{Auth, SiteInfo},
    web::{Shell, cookie::Stay, pages::send, start_session, visitor_shell::VisitorShell},
};

/// `GET /sign-up`, and `POST /sign-up` after an error.
///
/// The form posts `username`, `display_name`, `email`, `password`. The handler supplies the entered
/// values, except the password. On success: signed in, and 303 to `/`.
#[derive(Debug, Template)]
#[template(path = "sign-up.html")]
pub struct SignUpPage {
    pub shell: Shell,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub message: Option<String>,
    pub stays: bool,
    pub registration: SignUpAvailability,
    /// Minimum length of a password, in characters.
    pub min_length: usize,
}

impl SignUpPage {
    pub fn can_register(&self) -> bool {
        self.registration == SignUpAvailability::Open
    }
}

/// `GET /sign-up`
pub(crate) async fn sign_up_page(
    OptionalCaller(caller): OptionalCaller,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    VisitorShell(shell): VisitorShell,
) -> Result<Response, Problem> {
    if caller.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    let page = SignUpForm::default().page(&auth, &site, None);
    send(StatusCode::OK, &SignUpPage { shell, ..page })
}

/// The registration fields as entered. After an error the form shows them again.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignUpForm {
    pub(crate) username: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
    pub(crate) stay: Stay,
}

impl SignUpForm {
    pub(crate) fn from_form(form: &mut Form) -> Self {
        let mut take = |name| form.take(name).unwrap_or_default();
        Self {
            username: take("username"),
            display_name: take("display_name"),
            email: take("email"),
            stay: Stay::from_field(Some(&take("stay"))),
        }
    }

    pub(crate) fn registration_request(
        &self,
        password: Password,
    ) -> Result<RegistrationRequest, Problem> {
        let username = Username::parse(&self.username)
            .map_err(|error| Problem::invalid("/username", error))?;
        Ok(RegistrationRequest {
            username,
            display_name: parse_optional(
                Some(self.display_name.clone()),
                "/display_name",
                DisplayName::parse,
            )?,
            email: parse_optional(Some(self.email.clone()), "/email", EmailAddress::parse)?,
            password,
        })
    }

    fn page(self, auth: &Auth, site: &SiteInfo, message: Option<String>) -> SignUpPage {
        let Self {
            username,
            display_name,
            email,
            stay,
        } = self;
        let (registration, min_length) = (
            sign_up_availability(site),
            auth.passwords().min_password_length(None),
        );
        SignUpPage {
            shell: Shell::default(),
            username,
            display_name,
            email,
            message,
            stays: stay.is_chosen(),
            registration,
            min_length,
        }
    }
}

/// `POST /sign-up`
pub(crate) async fn sign_up(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    mut form: Form,
) -> Result<Response, Problem> {
    let fields = SignUpForm::from_form(&mut form);
    let password = form.take("password").unwrap_or_default();
    match register(&auth, &fields, password.clone(), &origin).await {
        Ok(account) => {
            let user = NewUser {
                username: account.username,
                password: Password::new(password),
                stay: fields.stay,
            };
            sign_in_new_user(&auth, &site, user, origin).await
        }
        Err(problem) => {
            let page = fields.page(&auth, &site, Some(problem.detail()));
            Ok(with_error_headers(&problem, send(problem.status(), &page)?))
        }
    }
}

/// A user who has just registered.
pub(super) struct NewUser {
    pub(super) username: Username,
    pub(super) password: Password,
    pub(super) stay: Stay,
}

/// Signs a new user in and leads to the start page. Every sign-in creates a new session and never
/// reuses an existing one (session fixation).
pub(super) async fn sign_in_new_user(
    auth: &Auth,
    site: &SiteInfo,
    user: NewUser,
    origin: Origin,
) -> Result<Response, Problem> {
    let NewUser {
        username,
        password,
        stay,
    } = user;
    let signed_in = auth
        .passwords()
        .sign_in(username.as_str(), password, SessionKind::Web, origin)
        .await?;
    let jar = CookieJar::new().add(start_session(auth, site, &signed_in, stay).await?);
    Ok((jar, Redirect::to("/")).into_response())
}

async fn register(
    auth: &Auth,
    fields: &SignUpForm,
    password: String,
    origin: &Origin,
) -> Result<Account, Problem> {
    Ok(auth
        .accounts()
        .register(
            fields.registration_request(Password::new(password))?,
            origin,
        )
        .await?)
}
