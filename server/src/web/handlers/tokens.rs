//! `GET /account/tokens`

use auth::Interactive;
use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{api::auth::tokens::list, error::Problem, state::Auth, web::TokensPage};

pub(crate) async fn page(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
) -> Result<Response, Problem> {
    let (shell, now) = (shell(&auth, &caller, None).await?, auth.now());
    let tokens = list::list_all(&auth, &caller).await?;
    send(StatusCode::OK, &TokensPage { shell, tokens, now })
}
