//! The first argument of this handler is not a door.

use axum::{extract::State, http::StatusCode, routing::MethodFilter};
use server::{routes::ApiRouter, state::Vault};

async fn no_door(State(_): State<Vault>) -> StatusCode {
    StatusCode::OK
}

fn main() {
    let api = ApiRouter::new(server::api::document::base());
    let _ = api.page(MethodFilter::GET, "/oops", no_door);
}
