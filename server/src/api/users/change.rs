//! `PATCH /api/users/{username}`

use auth::{
    AccountChange, AccountStatus, DisplayName, EmailAddress, Permitted, actions::ManageAccounts,
};
use axum::{Json, extract::State};
use wire::{UpdateUser, User};

use crate::{
    api::auth::register::parse_optional,
    error::Problem,
    extract::{self, JsonBody},
    state::{Auth, Store},
};

/// Change an account.
///
/// - Disabling an account ends all its sessions at once.
/// - The last administrator cannot be removed or disabled.
/// - A personal access token cannot enable an account, make a user an administrator, change an
///   address, withdraw a required password reset, or disable an administrator.
/// - If a user becomes an administrator, their earlier tokens with the scope `admin` end.
#[utoipa::path(patch, path = "/api/users/{username}", tag = "Users",
    params(("username" = String, Path)), request_body = UpdateUser,
    responses(
        (status = 200, description = "The account after the change.", body = User),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    State(store): State<Store>,
    extract::UsernameParam(username): extract::UsernameParam,
    JsonBody(body): JsonBody<UpdateUser>,
) -> Result<Json<User>, Problem> {
    let member = auth
        .admin()
        .change_account(&permit, &username, account_change(body)?)
        .await?;
    Ok(Json(super::wire_user(&store, member).await?))
}

fn account_change(body: UpdateUser) -> Result<AccountChange, Problem> {
    let display_name = body
        .display_name
        .map(|name| parse_optional(name, "/display_name", DisplayName::parse));
    let email = body
        .email
        .map(|email| parse_optional(email, "/email", EmailAddress::parse));
    Ok(AccountChange {
        display_name: display_name.transpose()?,
        email: email.transpose()?,
        status: body.disabled.map(|disabled| {
            if disabled {
                AccountStatus::Disabled
            } else {
                AccountStatus::Active
            }
        }),
        administrator: body.is_admin,
        email_verified: None,
        must_change_password: body.reset_required,
    })
}
