//! `GET /api/vaults/{vault}/members`

use auth::{Permitted, auth::SeeMembers};
use axum::{Json, extract::State};
use wire::MemberInfo;

use crate::{error::Problem, state::Auth};

/// Who has a role in the vault, by username. Administrators have every role everywhere and are not listed for it.
#[utoipa::path(get, path = "/api/vaults/{vault}/members", tag = "Vaults",
    params(("vault" = String, Path)),
    responses((status = 200, description = "Its members.", body = [MemberInfo])))]
pub async fn handle(
    Permitted(permit): Permitted<SeeMembers>,
    State(auth): State<Auth>,
) -> Result<Json<Vec<MemberInfo>>, Problem> {
    let members = auth.members_of(&permit).await?;
    let info = |(account, role): (auth::Account, auth::Role)| MemberInfo {
        username: account.username.to_string(),
        display_name: account.display_name.map(|name| name.as_str().to_owned()),
        role: role.as_str().to_owned(),
    };
    Ok(Json(members.into_iter().map(info).collect()))
}
