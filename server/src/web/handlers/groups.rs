//! `GET /admin/groups`

use auth::{Caller, Permitted, actions::ReadAccounts};
use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{send, shell};
use crate::{api::groups, error::Problem, state::AppState, web::GroupsPage};

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadAccounts>,
    caller: Caller,
    State(state): State<AppState>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &caller, None).await?;
    let groups =
        groups::wire_groups(&state.store, state.auth.admin().groups(&permit).await?).await?;
    let vaults = shell.vaults.clone();
    send(
        StatusCode::OK,
        &GroupsPage {
            shell,
            groups,
            vaults,
        },
    )
}
