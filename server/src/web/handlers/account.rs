//! `GET /account`

use std::sync::Arc;

use auth::{AnySession, Interactive};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{
    api::auth::{me, sessions},
    error::Problem,
    state::{Auth, SiteInfo},
    web::AccountPage,
};

pub(crate) async fn page(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
) -> Result<Response, Problem> {
    let shell = shell(&auth, &caller, None).await?;
    let min_length = auth.passwords().min_password_length(Some(caller.account()));
    let Json(me) = me::handle(AnySession(caller.clone())).await;
    let sessions = sessions::list::list_all(&auth, &caller).await?;
    send(
        StatusCode::OK,
        &AccountPage {
            shell,
            me,
            sessions,
            min_length,
            sends_mail: site.config.mail.is_some(),
        },
    )
}
