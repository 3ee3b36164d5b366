//! Acceptance of an invitation.

use std::sync::Arc;

use auth::{Account, Anyone, Origin, Password, SameOriginForm, settings::Registration};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderValue, StatusCode, header};

use super::{
    enter::{self, Typed},
    send,
};
use crate::{
    error::Problem,
    extract::{Form, ClientOrigin},
    state::{Auth, SiteInfo},
    web::{JoinPage, Shell},
};

/// `GET /join`. The token is in the fragment, so that no log contains it.
pub(crate) async fn page(_: Anyone, State(auth): State<Auth>) -> Result<Response, Problem> {
    answer(
        StatusCode::OK,
        &form(&auth, Typed::default(), String::new(), None),
    )
}

fn form(auth: &Auth, fields: Typed, token: String, message: Option<String>) -> JoinPage {
    let Typed {
        username,
        display_name,
        email,
    } = fields;
    let (open, min_length) = (
        auth.settings().registration != Registration::Closed,
        auth.passwords().min_password_length(None),
    );
    JoinPage {
        shell: Shell::default(),
        token,
        username,
        display_name,
        email,
        message,
        open,
        min_length,
    }
}

fn answer(status: StatusCode, page: &JoinPage) -> Result<Response, Problem> {
    let mut response = send(status, page)?;
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}

/// `POST /join`
pub(crate) async fn join(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    mut form_data: Form,
) -> Result<Response, Problem> {
    let fields = Typed::from_form(&mut form_data);
    let token = form_data.take("invite").unwrap_or_default();
    let password = form_data.take("password").unwrap_or_default();
    match register(&auth, (&fields, password.clone()), &token, &origin).await {
        Ok(account) => {
            let credentials = (account.username.as_str(), Password::new(password));
            let jar = enter::enter(&auth, &site, credentials, origin).await?;
            Ok((jar, Redirect::to("/")).into_response())
        }
        Err(problem) => {
            let page = form(&auth, fields, token, Some(problem.detail()));
            Ok(enter::again(&problem, answer(problem.status(), &page)?))
        }
    }
}

async fn register(
    auth: &Auth,
    (fields, password): (&Typed, String),
    token: &str,
    origin: &Origin,
) -> Result<Account, Problem> {
    Ok(auth
        .invitations()
        .accept_invitation(fields.registration_request(Password::new(password))?, token, origin)
        .await?)
}
