//! `GET /device`

use auth::Interactive;
use auth::model::visible_text::without_hidden;
use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;

use super::{send, shell};
use crate::{
    error::Problem,
    extract::Query,
    state::{Auth, Store},
    web::DevicePage,
};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct DeviceQuery {
    user_code: Option<String>,
}

pub(crate) async fn page(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(store): State<Store>,
    Query(query): Query<DeviceQuery>,
) -> Result<Response, Problem> {
    let shell = shell(&auth, &store, &caller, None).await?;
    let user_code = without_hidden(&query.user_code.unwrap_or_default())
        .chars()
        .take(20)
        .collect();
    send(StatusCode::OK, &DevicePage { shell, user_code })
}
