//! `GET /docs`

use askama::Template;
use auth::access::extract::OptionalCaller;
use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{
    error::Problem,
    state::{Auth, Store},
    web::Shell,
};

/// The interactive API page, for everyone. The script reads `/openapi.json`. Requests carry the
/// session of the browser, like those of every page, or an authorization that ends with the page.
#[derive(Debug, Template)]
#[template(path = "docs.html")]
pub struct DocsPage {
    pub shell: Shell,
}

pub(crate) async fn page(
    OptionalCaller(caller): OptionalCaller,
    State(auth): State<Auth>,
    State(store): State<Store>,
) -> Result<Response, Problem> {
    let shell = match &caller {
        Some(caller) => shell(&auth, &store, caller, None).await?,
        None => Shell::default(),
    };
    send(StatusCode::OK, &DocsPage { shell })
}
