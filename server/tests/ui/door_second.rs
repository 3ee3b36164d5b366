//! A door must be the first argument: extractors before it would run without authorization.

use auth::Anyone;
use axum::{extract::State, http::StatusCode, routing::MethodFilter};
use server::{routes::ApiRouter, state::Vault};

async fn late(State(_): State<Vault>, _: Anyone) -> StatusCode {
    StatusCode::OK
}

fn main() {
    let api = ApiRouter::new(server::api::document::base());
    let _ = api.page(MethodFilter::GET, "/oops", late);
}
