//! Sign-in and sign-out.

use std::{fmt, sync::Arc};

use askama::Template;
use auth::{
    AnySession, Password, SameOriginForm,
    access::extract::{OptionalCaller, cookie_values},
    session::mfa_challenge::SignInOutcome,
    upstream::Provider,
};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::{
    config::RegistrationMode,
    error::{Problem, retry_after},
    extract::{ClientOrigin, Form, Query},
    state::{Auth, SiteInfo},
    web::{
        ProviderButton, Shell,
        cookie::{self, Stay},
        form_account::FormAccount,
        pages::send,
        start_session,
        visitor_shell::VisitorShell,
    },
};

/// `GET /sign-in`, and `POST /sign-in` after an error (with its status).
///
/// The form posts `username`, `password`, `next`. The handler supplies the entered username, `next`
/// through [`local_path`], and an error message. On success: the cookie and 303 to `next`.
#[derive(Debug, Template)]
#[template(path = "sign-in.html")]
pub struct SignInPage {
    pub shell: Shell,
    pub username: String,
    pub next: String,
    pub message: Option<String>,
    /// Whether an administrator has ended the session of this browser.
    pub was_signed_out: bool,
    /// Whether the user chose to stay signed in, before an error.
    pub stays: bool,
    pub registration: SignUpAvailability,
    pub providers: Vec<ProviderButton>,
    /// The origin where passkeys work, if they are enabled.
    pub passkey_origin: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpAvailability {
    Open,
    /// By invitation or not at all. The page refers to an administrator.
    Closed,
}

/// `GET /first`, and `POST /first` after an error. The printed link is `/first#<token>`, so that no
/// log contains the token.
///
/// The form posts `token`, `username`, `display_name`, `password`. The handler supplies the entered
/// values, including the token, because a rejected password does not consume it, and `message`.
/// `open` is false if an administrator exists. On success: signed in, and 303 to `/`.
#[derive(Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    pub shell: Shell,
    pub token: String,
    pub username: String,
    pub display_name: String,
    pub message: Option<String>,
    pub stays: bool,
    pub is_open: bool,
    pub min_length: usize,
}

impl SignInPage {
    pub fn can_register(&self) -> bool {
        self.registration == SignUpAvailability::Open
    }
}

/// Limits `next` to a path on this server. Anything that a browser might read as another host
/// (`//x`, `/\x`, `https:`, control characters that it strips) becomes `/`. Prevents open
/// redirects.
#[must_use]
pub fn local_path(next: Option<&str>) -> &str {
    let Some(next) = next else { return "/" };
    let is_external =
        next.starts_with("//") || next.contains('\\') || next.contains(char::is_control);
    if next.starts_with('/') && !is_external {
        next
    } else {
        "/"
    }
}

/// Omits the secret token.
impl fmt::Debug for SetupPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupPage(…)")
    }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct NextQuery {
    pub(crate) next: Option<String>,
}

/// `GET /sign-in`
#[expect(
    clippy::too_many_arguments,
    reason = "one extractor for each part of the request"
)]
pub(crate) async fn sign_in_page(
    OptionalCaller(caller): OptionalCaller,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    headers: HeaderMap,
    VisitorShell(shell): VisitorShell,
    Query(query): Query<NextQuery>,
) -> Result<Response, Problem> {
    let next = local_path(query.next.as_deref());
    if caller.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    let cookie = cookie_values(&headers, &site.session_cookie).next();
    let was_signed_out = match cookie {
        Some(cookie) => auth.sessions().was_ended_by_administrator(cookie).await?,
        None => false,
    };
    let page = render_sign_in(&site, String::new(), next, None);
    send(
        StatusCode::OK,
        &SignInPage {
            shell,
            was_signed_out,
            ..page
        },
    )
}

fn render_sign_in(
    site: &SiteInfo,
    username: String,
    next: &str,
    message: Option<String>,
) -> SignInPage {
    let (shell, registration) = (Shell::default(), sign_up_availability(site));
    let button = |provider: &Provider| ProviderButton {
        id: provider.id.clone(),
        name: provider.name.clone(),
        has_icon: site.config.providers.icon(&provider.id).is_some(),
    };
    let providers = site.config.providers.list.iter().map(button).collect();
    let (next, passkeys) = (next.to_owned(), site.passkey_origin.clone());
    SignInPage {
        shell,
        username,
        next,
        message,
        was_signed_out: false,
        stays: false,
        registration,
        providers,
        passkey_origin: passkeys,
    }
}

/// `POST /sign-in`
pub(crate) async fn sign_in(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    mut form: Form,
) -> Result<Response, Problem> {
    let username = form.take("username").unwrap_or_default();
    let password = Password::new(form.take("password").unwrap_or_default());
    let next = form.take("next");
    let next = local_path(next.as_deref());
    let stay = Stay::from_field(form.take("stay").as_deref());
    match auth
        .passwords()
        .sign_in_on_page(&username, password, origin)
        .await
    {
        Ok(step) => after_password(&auth, &site, step, next, stay).await,
        Err(error) => {
            let problem = Problem::from(error);
            let page = SignInPage {
                stays: stay.is_chosen(),
                ..render_sign_in(&site, username, next, Some(problem.detail()))
            };
            Ok(with_error_headers(&problem, send(problem.status(), &page)?))
        }
    }
}

/// Completes the sign-in, or continues with the second factor.
pub(crate) async fn after_password(
    auth: &Auth,
    site: &SiteInfo,
    step: SignInOutcome,
    next: &str,
    stay: Stay,
) -> Result<Response, Problem> {
    match step {
        SignInOutcome::Complete(signed_in) => {
            let session = start_session(auth, site, &signed_in, stay).await?;
            let jar = CookieJar::new().add(session);
            Ok((jar, Redirect::to(next)).into_response())
        }
        SignInOutcome::MfaRequired(challenge) => {
            let jar = CookieJar::new()
                .add(cookie::mfa(site, &challenge))
                .add(stay.cookie(site));
            let next =
                percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
            let second = Redirect::to(&format!("/sign-in/second?next={next}"));
            Ok((jar, second).into_response())
        }
    }
}

/// The page with the headers of the error.
pub(crate) fn with_error_headers(problem: &Problem, mut page: Response) -> Response {
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

pub(crate) fn sign_up_availability(site: &SiteInfo) -> SignUpAvailability {
    match site.config.registration {
        RegistrationMode::Open => SignUpAvailability::Open,
        RegistrationMode::Invite | RegistrationMode::Closed => SignUpAvailability::Closed,
    }
}

/// `POST /sign-out`
pub(crate) async fn sign_out(
    AnySession(caller): AnySession,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    drawn_for: FormAccount,
) -> Result<Response, Problem> {
    drawn_for.require(&caller)?;
    auth.sessions().sign_out(&caller).await?;
    let jar = cookie::clear_session(&site);
    Ok((jar, [cookie::CLEAR_SITE_DATA], Redirect::to("/sign-in")).into_response())
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn sign_in_redirect_stays_on_own_server() {
        for hostile in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "evil",
            "",
        ] {
            assert_eq!(local_path(Some(hostile)), "/", "{hostile:?}");
        }
        assert_eq!(local_path(None), "/");
        assert_eq!(
            local_path(Some("/v/main/f/a%20b?x=1")),
            "/v/main/f/a%20b?x=1"
        );
    }
}
