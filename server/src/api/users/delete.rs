//! `DELETE /api/users/{username}`

use auth::{AccountChange, AccountStatus, Permitted, service::ManageAccounts};
use axum::extract::State;
use http::StatusCode;
use wire::ProblemBody;

use crate::{error::Problem, extract, state::Auth};

/// Delete an account. Its name is never given to somebody else, and what it recorded stays.
#[utoipa::path(delete, path = "/api/users/{username}", tag = "Users",
    params(("username" = String, Path)),
    responses(
        (status = 204, description = "Gone."),
        (status = 409, description = "The last administrator.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    extract::User(username): extract::User,
) -> Result<StatusCode, Problem> {
    let gone = AccountChange {
        status: Some(AccountStatus::Deleted),
        ..AccountChange::default()
    };
    auth.change_account(&permit, &username, gone).await?;
    Ok(StatusCode::NO_CONTENT)
}
