//! The first administrator, by the link that the server prints.

use std::sync::Arc;

use auth::{Account, Anyone, Origin, Password, SameOriginForm};
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
    web::{SetupPage, Shell},
};

/// `GET /first`. The token is in the fragment, so that no log contains it.
pub(crate) async fn page(_: Anyone, State(auth): State<Auth>) -> Result<Response, Problem> {
    answer(
        StatusCode::OK,
        &form(&auth, Typed::default(), String::new(), None).await?,
    )
}

async fn form(
    auth: &Auth,
    fields: Typed,
    token: String,
    message: Option<String>,
) -> Result<SetupPage, Problem> {
    let Typed {
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
        is_open,
        min_length,
    })
}

fn answer(status: StatusCode, page: &SetupPage) -> Result<Response, Problem> {
    let mut response = send(status, page)?;
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}

/// `POST /first`
pub(crate) async fn make(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    mut form_data: Form,
) -> Result<Response, Problem> {
    let fields = Typed::from_form(&mut form_data);
    let token = form_data.take("token").unwrap_or_default();
    let password = form_data.take("password").unwrap_or_default();
    match administrator(&auth, (&token, &fields), password.clone(), &origin).await {
        Ok(account) => {
            let credentials = (account.username.as_str(), Password::new(password));
            let jar = enter::enter(&auth, &site, credentials, origin).await?;
            Ok((jar, Redirect::to("/")).into_response())
        }
        Err(problem) => {
            let page = form(&auth, fields, token, Some(problem.detail())).await?;
            Ok(enter::again(&problem, answer(problem.status(), &page)?))
        }
    }
}

async fn administrator(
    auth: &Auth,
    (token, fields): (&str, &Typed),
    password: String,
    origin: &Origin,
) -> Result<Account, Problem> {
    Ok(auth
        .accounts()
        .create_first_administrator(token, fields.registration_request(Password::new(password))?, origin)
        .await?)
}
