//! `GET /api/vaults/{vault}/members`

use auth::{Permitted, RealmMember, service::ReadMembers};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::MemberInfo;

use crate::{
    api::paging::{self, Asked},
    error::Problem,
    extract::Query,
    state::Auth,
};

/// List the members of a vault by username.
///
/// A member has a role of their own or through a group. Administrators have every role in every vault, and are
/// listed only if they are members.
#[utoipa::path(get, path = "/api/vaults/{vault}/members", tag = "Vaults",
    params(("vault" = String, Path), Asked),
    responses((status = 200, description = "A page of members.", body = [MemberInfo])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadMembers>,
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Json<Vec<MemberInfo>>), Problem> {
    let members = auth
        .admin()
        .realm_members(&permit)
        .await?
        .into_iter()
        .filter_map(info)
        .collect();
    paging::page(&uri, &asked, members, |member: &MemberInfo| {
        member.username.clone()
    })
}

fn info(member: RealmMember) -> Option<MemberInfo> {
    let word = |role: auth::Role| role.as_str().to_owned();
    Some(MemberInfo {
        role: word(member.role()?),
        username: member.account.username.to_string(),
        display_name: member
            .account
            .display_name
            .map(|name| name.as_str().to_owned()),
        own_role: member.direct.map(word),
        through: member
            .via_groups
            .into_iter()
            .map(|(group, role)| (group.to_string(), word(role)))
            .collect(),
    })
}
