//! `GET /account`

use auth::Caller;
use axum::{Json, extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{
    api::auth::{me, sessions},
    error::Problem,
    state::Auth,
    web::AccountPage,
};

pub(crate) async fn page(caller: Caller, State(auth): State<Auth>) -> Result<Response, Problem> {
    let shell = shell(&auth, &caller, None).await?;
    let Json(me) = me::handle(caller.clone()).await;
    let Json(sessions) = sessions::list::handle(caller, State(auth)).await?;
    send(StatusCode::OK, &AccountPage { shell, me, sessions })
}
