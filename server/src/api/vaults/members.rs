//! `GET /api/vaults/{vault}/members`

use auth::{Permitted, RealmMember, actions::ReadMembers};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::MemberInfo;

use crate::{
    api::paging::{self, PageQuery},
    error::Problem,
    extract::Query,
    state::Auth,
};

/// List the members of a vault by username.
///
/// A member has a role of their own or through a group. Administrators have every role in every
/// vault, and are listed only if they are members.
#[utoipa::path(get, path = "/api/vaults/{vault}/members", tag = "Vaults",
    params(("vault" = String, Path), PageQuery),
    responses((status = 200, description = "A page of members.", body = [MemberInfo])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadMembers>,
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<(HeaderMap, Json<Vec<MemberInfo>>), Problem> {
    let members = auth
        .admin()
        .realm_members(&permit)
        .await?
        .into_iter()
        .filter_map(wire_member)
        .collect();
    paging::page(&uri, &page, members, |member: &MemberInfo| {
        member.username.clone()
    })
}

fn wire_member(member: RealmMember) -> Option<MemberInfo> {
    let role_name = |role: auth::Role| role.as_str().to_owned();
    Some(MemberInfo {
        role: role_name(member.role()?),
        username: member.account.username.to_string(),
        display_name: member
            .account
            .display_name
            .map(|name| name.as_str().to_owned()),
        own_role: member.direct.map(role_name),
        through: member
            .via_groups
            .into_iter()
            .map(|(group, role)| (group.to_string(), role_name(role)))
            .collect(),
    })
}
