//! `GET /account/factors`, also for sessions that must enroll a factor first.

use std::sync::Arc;

use auth::AllowRestricted;
use axum::{Json, extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{
    api::auth::factors::list,
    error::Problem,
    state::{Auth, SiteInfo},
    web::FactorsPage,
};

pub(crate) async fn page(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
) -> Result<Response, Problem> {
    let shell = shell(&auth, &caller, None).await?;
    let is_due = caller.restriction().is_some();
    let Json(overview) = list::handle(AllowRestricted(caller), State(auth)).await?;
    send(
        StatusCode::OK,
        &FactorsPage {
            shell,
            overview,
            is_enrollment_required: is_due,
            passkey_origin: site.passkey_origin.clone(),
        },
    )
}
