//! `DELETE /api/users/{username}`

use auth::{AccountChange, AccountStatus, Permitted, actions::ManageAccounts};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Delete an account.
///
/// Its username is never reused. Its file revisions and audit entries stay.
#[utoipa::path(delete, path = "/api/users/{username}", tag = "Users",
    params(("username" = String, Path)),
    responses(
        (status = 204, description = "Removed."),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    extract::UsernameParam(username): extract::UsernameParam,
) -> Result<StatusCode, Problem> {
    let deletion = AccountChange {
        status: Some(AccountStatus::Deleted),
        ..AccountChange::default()
    };
    auth.admin()
        .change_account(&permit, &username, deletion)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
