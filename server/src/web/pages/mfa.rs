//! The second factor at sign-in.

use std::sync::Arc;

use auth::{
    AuthError, OneTimeCode, SameOriginForm, access::extract::OptionalCaller, error::SignInError,
    session::mfa_challenge::PendingSignIn,
};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use http::{HeaderMap, StatusCode};

use super::{
    send,
    sign_in::{NextQuery, with_error_headers},
};
use crate::{
    error::Problem,
    extract::{ClientOrigin, Form, Query},
    state::{Auth, SiteInfo},
    web::{
        MfaPage, Shell,
        cookie::{self, CookieKind, Stay},
        local_path, start_session,
    },
};

/// `GET /sign-in/second`
pub(crate) async fn page(
    _: OptionalCaller,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    headers: HeaderMap,
    Query(query): Query<NextQuery>,
) -> Result<Response, Problem> {
    match auth
        .factors()
        .pending_sign_in(&mfa_token(&site, &headers))
        .await
    {
        Ok(pending) => send(
            StatusCode::OK,
            &mfa_page(&site, &pending, local_path(query.next.as_deref()), None),
        ),
        Err(AuthError::SignIn(SignInError::SignInExpired)) => {
            Ok(Redirect::to("/sign-in").into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /sign-in/second`
#[expect(
    clippy::too_many_arguments,
    reason = "one extractor for each part of the request"
)]
pub(crate) async fn submit(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, Problem> {
    let (code, next) = (
        OneTimeCode::parse(&form.take("otp").unwrap_or_default()),
        form.take("next"),
    );
    let next = local_path(next.as_deref());
    let token = mfa_token(&site, &headers);
    match auth
        .factors()
        .submit_second_factor(&token, code, origin)
        .await
    {
        Ok(signed_in) => {
            let stay = Stay::from_first_step(&site, &headers);
            let session = start_session(&auth, &site, &signed_in, stay).await?;
            let jar = CookieJar::new()
                .add(session)
                .add(cookie::clear_mfa(&site))
                .add(Stay::UntilBrowserCloses.cookie(&site));
            Ok((jar, Redirect::to(next)).into_response())
        }
        Err(AuthError::SignIn(SignInError::SignInExpired)) => {
            Ok(Redirect::to("/sign-in").into_response())
        }
        Err(error) => {
            let problem = Problem::from(error);
            let Ok(pending) = auth.factors().pending_sign_in(&token).await else {
                return Err(problem);
            };
            let page = mfa_page(&site, &pending, next, Some(problem.detail()));
            Ok(with_error_headers(&problem, send(problem.status(), &page)?))
        }
    }
}

fn mfa_page(
    site: &SiteInfo,
    pending: &PendingSignIn,
    next: &str,
    message: Option<String>,
) -> MfaPage {
    let username = pending.account.username.to_string();
    let (next, passkey_origin) = (next.to_owned(), site.passkey_origin.clone());
    MfaPage {
        shell: Shell::default(),
        username,
        factors: pending.available_factors,
        next,
        message,
        passkey_origin,
    }
}

/// Empty without such a cookie.
pub(crate) fn mfa_token(site: &SiteInfo, headers: &HeaderMap) -> String {
    CookieKind::Mfa
        .read(site, headers)
        .map_or_else(String::new, |token| token.expose().to_owned())
}
