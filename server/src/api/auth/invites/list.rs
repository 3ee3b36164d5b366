//! `GET /auth/invites`

use auth::InPerson;
use axum::{Json, extract::State};
use wire::InviteInfo;

use crate::{
    error::Problem,
    state::{Auth, Store},
};

/// Open invitations, newest first: one's own; everybody's for administrators.
#[utoipa::path(get, path = "/auth/invites", tag = "Accounts",
    responses((status = 200, description = "Those that nobody has used yet.", body = [InviteInfo])))]
pub async fn handle(
    InPerson(caller): InPerson,
    State(auth): State<Auth>,
    State(store): State<Store>,
) -> Result<Json<Vec<InviteInfo>>, Problem> {
    let invites = auth.invites(&caller).await?;
    Ok(Json(super::infos(&store, invites).await?))
}
