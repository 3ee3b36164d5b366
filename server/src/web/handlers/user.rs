//! `GET /admin/users/{username}`

use auth::{Caller, Permitted, actions::ReadAccounts};
use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{api::users, error::Problem, extract, state::AppState, web::UserPage};

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadAccounts>,
    caller: Caller,
    State(state): State<AppState>,
    extract::UsernameParam(username): extract::UsernameParam,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &caller, None).await?;
    let member = state.auth.admin().member(&permit, &username).await?;
    let user = users::wire_user(&state.store, member).await?;
    let vaults = shell.vaults.clone();
    send(
        StatusCode::OK,
        &UserPage {
            shell,
            user,
            vaults,
        },
    )
}
