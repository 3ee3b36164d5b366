//! `GET /api/users/{username}`

use auth::{Permitted, actions::ReadAccounts};
use axum::{Json, extract::State};
use wire::User;

use crate::{
    error::Problem,
    extract,
    state::{Auth, Store},
};

/// Show an account.
#[utoipa::path(get, path = "/api/users/{username}", tag = "Users",
    params(("username" = String, Path)),
    responses((status = 200, description = "The account.", body = User)))]
pub async fn handle(
    Permitted(permit): Permitted<ReadAccounts>,
    State(auth): State<Auth>,
    State(store): State<Store>,
    extract::UsernameParam(username): extract::UsernameParam,
) -> Result<Json<User>, Problem> {
    let member = auth.admin().member(&permit, &username).await?;
    Ok(Json(super::wire_user(&store, member).await?))
}
