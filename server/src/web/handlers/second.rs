//! The second factor at sign-in.

use std::sync::Arc;

use auth::{
    AuthError, OneTimeCode, SameOriginForm, access::extract::OptionalCaller,
    session::mfa_challenge::PendingSignIn,
};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use http::StatusCode;

use super::{
    enter::{Next, again},
    send,
};
use crate::{
    error::Problem,
    extract::{Form, ClientOrigin, Query},
    state::{Auth, SiteInfo},
    web::{SecondPage, Shell, cookie, local_path},
};

/// `GET /sign-in/second`
pub(crate) async fn page(
    _: OptionalCaller,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    jar: CookieJar,
    Query(query): Query<Next>,
) -> Result<Response, Problem> {
    match auth.factors().pending_sign_in(token(&site, &jar)).await {
        Ok(pending) => send(
            StatusCode::OK,
            &form(&site, &pending, local_path(query.next.as_deref()), None),
        ),
        Err(AuthError::SignInExpired) => Ok(Redirect::to("/sign-in").into_response()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /sign-in/second`
#[expect(
    clippy::too_many_arguments,
    reason = "one extractor for each part of the request"
)]
pub(crate) async fn step(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    jar: CookieJar,
    mut form: Form,
) -> Result<Response, Problem> {
    let (code, next) = (
        OneTimeCode::parse(&form.take("otp").unwrap_or_default()),
        form.take("next"),
    );
    let next = local_path(next.as_deref());
    let token = token(&site, &jar);
    match auth
        .factors()
        .submit_second_factor(token, code, origin)
        .await
    {
        Ok(signed_in) => {
            let jar = CookieJar::new()
                .add(cookie::session(&site, &signed_in.secret))
                .add(cookie::clear_mfa(&site));
            Ok((jar, Redirect::to(next)).into_response())
        }
        Err(AuthError::SignInExpired) => Ok(Redirect::to("/sign-in").into_response()),
        Err(error) => {
            let problem = Problem::from(error);
            let Ok(pending) = auth.factors().pending_sign_in(token).await else {
                return Err(problem);
            };
            let page = form(&site, &pending, next, Some(problem.detail()));
            Ok(again(&problem, send(problem.status(), &page)?))
        }
    }
}

fn form(site: &SiteInfo, pending: &PendingSignIn, next: &str, message: Option<String>) -> SecondPage {
    let username = pending.account.username.to_string();
    let (next, passkeys_at) = (next.to_owned(), site.passkey_origin.clone());
    SecondPage {
        shell: Shell::default(),
        username,
        factors: pending.available_factors,
        next,
        message,
        passkeys_at,
    }
}

pub(crate) fn token<'a>(site: &SiteInfo, jar: &'a CookieJar) -> &'a str {
    jar.get(cookie::mfa_name(site))
        .map_or("", |cookie| cookie.value())
}
