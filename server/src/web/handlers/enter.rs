//! Sign-in, registration and sign-out.

use std::sync::Arc;

use auth::{
    Account, AnySession, AuthError, DisplayName, EmailAddress, Origin, Password, SameOriginForm,
    SessionKind, Username, access::extract::OptionalCaller, service::RegistrationRequest,
    session::mfa_challenge::SignInOutcome, upstream::Provider,
};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use http::StatusCode;
use serde::Deserialize;

use super::send;
use crate::{
    api::auth::register::optional,
    config::RegistrationMode,
    error::{Problem, retry_after},
    extract::{Form, From, Query},
    state::{Auth, Site},
    web::{ProviderButton, Registration, Shell, SignInPage, SignUpPage, cookie, local_path},
};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    pub(super) next: Option<String>,
}

/// `GET /sign-in`
pub(crate) async fn sign_in_page(
    OptionalCaller(caller): OptionalCaller,
    State(site): State<Arc<Site>>,
    Query(asked): Query<Next>,
) -> Result<Response, Problem> {
    let next = local_path(asked.next.as_deref());
    if caller.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    send(
        StatusCode::OK,
        &sign_in_form(&site, String::new(), next, None),
    )
}

fn sign_in_form(site: &Site, username: String, next: &str, message: Option<String>) -> SignInPage {
    let (shell, registration) = (Shell::default(), registration(site));
    let button = |provider: &Provider| ProviderButton {
        id: provider.id.clone(),
        name: provider.name.clone(),
        has_icon: site.config.providers.icon(&provider.id).is_some(),
    };
    let providers = site.config.providers.list.iter().map(button).collect();
    let (next, passkeys) = (next.to_owned(), site.passkeys.clone());
    SignInPage {
        shell,
        username,
        next,
        message,
        registration,
        providers,
        passkeys,
    }
}

/// `POST /sign-in`
pub(crate) async fn sign_in(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
    From(origin): From,
    mut form: Form,
) -> Result<Response, Problem> {
    let username = form.take("username").unwrap_or_default();
    let password = Password::new(form.take("password").unwrap_or_default());
    let next = form.take("next");
    let next = local_path(next.as_deref());
    match auth
        .passwords()
        .sign_in_on_page(&username, password, origin)
        .await
    {
        Ok(step) => Ok(go_on(&site, step, next)),
        Err(error) => {
            let problem = Problem::from(error);
            let page = sign_in_form(&site, username, next, Some(problem.detail()));
            Ok(again(&problem, send(problem.status(), &page)?))
        }
    }
}

/// Completes the sign-in, or continues with the second factor.
pub(super) fn go_on(site: &Site, step: SignInOutcome, next: &str) -> Response {
    match step {
        SignInOutcome::Complete(signed_in) => {
            let jar = CookieJar::new().add(cookie::session(site, &signed_in.secret));
            (jar, Redirect::to(next)).into_response()
        }
        SignInOutcome::MfaRequired(half_way) => {
            let jar = CookieJar::new().add(cookie::half_way(site, &half_way));
            let next =
                percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
            (jar, Redirect::to(&format!("/sign-in/second?next={next}"))).into_response()
        }
    }
}

/// Every sign-in creates a new session and never reuses an existing one (session fixation).
pub(super) async fn enter(
    auth: &Auth,
    site: &Site,
    (username, password): (&str, Password),
    origin: Origin,
) -> Result<CookieJar, AuthError> {
    let signed_in = auth
        .passwords()
        .sign_in(username, password, SessionKind::Web, origin)
        .await?;
    Ok(CookieJar::new().add(cookie::session(site, &signed_in.secret)))
}

/// The page with the headers of the error.
pub(super) fn again(problem: &Problem, mut page: Response) -> Response {
    if let Some(wait) = problem.retry_after() {
        page.headers_mut()
            .insert(http::header::RETRY_AFTER, retry_after(wait));
    }
    if let Some(challenge) = problem.challenge() {
        page.headers_mut()
            .insert(http::header::WWW_AUTHENTICATE, challenge);
    }
    page
}

pub(super) fn registration(site: &Site) -> Registration {
    match site.config.registration {
        RegistrationMode::Open => Registration::Open,
        RegistrationMode::Invite | RegistrationMode::Closed => Registration::Closed,
    }
}

/// `GET /sign-up`
pub(crate) async fn sign_up_page(
    OptionalCaller(caller): OptionalCaller,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
) -> Result<Response, Problem> {
    if caller.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    send(StatusCode::OK, &Typed::default().page(&auth, &site, None))
}

/// The registration fields as entered. After an error the form shows them again.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub(super) username: String,
    pub(super) display_name: String,
    pub(super) email: String,
}

impl Typed {
    pub(super) fn take(form: &mut Form) -> Self {
        let mut take = |name| form.take(name).unwrap_or_default();
        Self {
            username: take("username"),
            display_name: take("display_name"),
            email: take("email"),
        }
    }

    pub(super) fn applicant(&self, password: Password) -> Result<RegistrationRequest, Problem> {
        let username = Username::parse(&self.username)
            .map_err(|error| Problem::invalid("/username", error))?;
        Ok(RegistrationRequest {
            username,
            display_name: optional(
                Some(self.display_name.clone()),
                "/display_name",
                DisplayName::parse,
            )?,
            email: optional(Some(self.email.clone()), "/email", EmailAddress::parse)?,
            password,
        })
    }

    fn page(self, auth: &Auth, site: &Site, message: Option<String>) -> SignUpPage {
        let Self {
            username,
            display_name,
            email,
        } = self;
        let (registration, least) = (
            registration(site),
            auth.passwords().min_password_length(None),
        );
        SignUpPage {
            shell: Shell::default(),
            username,
            display_name,
            email,
            message,
            registration,
            least,
        }
    }
}

/// `POST /sign-up`
pub(crate) async fn sign_up(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
    From(origin): From,
    mut form: Form,
) -> Result<Response, Problem> {
    let typed = Typed::take(&mut form);
    let password = form.take("password").unwrap_or_default();
    match register(&auth, &typed, password.clone(), &origin).await {
        Ok(account) => {
            let who = (account.username.as_str(), Password::new(password));
            let jar = enter(&auth, &site, who, origin).await?;
            Ok((jar, Redirect::to("/")).into_response())
        }
        Err(problem) => {
            let page = typed.page(&auth, &site, Some(problem.detail()));
            Ok(again(&problem, send(problem.status(), &page)?))
        }
    }
}

async fn register(
    auth: &Auth,
    typed: &Typed,
    password: String,
    origin: &Origin,
) -> Result<Account, Problem> {
    Ok(auth
        .accounts()
        .register(typed.applicant(Password::new(password))?, origin)
        .await?)
}

/// `POST /sign-out`
pub(crate) async fn sign_out(
    AnySession(caller): AnySession,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
) -> Result<Response, Problem> {
    auth.sessions().sign_out(&caller).await?;
    let jar = CookieJar::new().add(cookie::ended(&site));
    Ok((jar, [cookie::CLEAR], Redirect::to("/sign-in")).into_response())
}
