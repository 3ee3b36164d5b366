//! `GET /api/files`

use auth::{Permitted, Username};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use serde::Deserialize;
use vault::{
    NameKey,
    action::Read,
    order::Position,
    search::Search,
    store::{FileQuery, LockFilter},
};
use wire::{File, FileStatus};

use super::sorting::{self, SortBy, SortOrder};
use crate::{api::paging, error::Problem, extract::Query, state::Vault, to_wire};

/// Bytes of a search text.
const MAX_SEARCH_BYTES: usize = 255;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileListQuery {
    /// A prefix of the filename, such as `fixtures/`.
    prefix: Option<String>,
    /// Words that the filename or the description contains, in any order, without case and accents.
    /// A word with `*` or `?` is a pattern for the name: `*.stl`.
    #[param(max_length = 255)]
    q: Option<String>,
    #[param(inline)]
    status: Option<FileStatus>,
    /// The user who holds the lock.
    locked_by: Option<String>,
    /// The order. Without it, the list is by the bytes of the filename; `name` is the natural order:
    /// `part2` before `part10`.
    #[param(inline)]
    sort: Option<SortBy>,
    #[param(inline)]
    order: Option<SortOrder>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The cursor from the `Link` header of the previous page.
    after: Option<String>,
}

/// List files by filename.
#[utoipa::path(get, path = "/api/vaults/{vault}/files", tag = "Files",
    params(("vault" = String, Path), FileListQuery),
    responses((status = 200, description = "A page of the list.", body = [File])))]
pub async fn handle(
    Permitted(permit): Permitted<Read>,
    State(vault): State<Vault>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<FileListQuery>,
) -> Result<(HeaderMap, Json<Vec<File>>), Problem> {
    let limit = paging::parse_limit(query.limit)?;
    let column = sorting::sort(query.sort, query.order).column;
    let mut files = vault
        .files(&permit, to_file_query(query, permit.username(), limit + 1)?)
        .await?;
    let mut headers = HeaderMap::new();
    if files.len() > limit as usize {
        files.truncate(limit as usize);
        if let Some(last) = files.last() {
            headers = paging::next_link(&uri, &sorting::encode(&Position::of(last, column)));
        }
    }
    let viewer = permit.username();
    Ok((
        headers,
        Json(
            files
                .iter()
                .map(|file| to_wire::file(file, viewer))
                .collect(),
        ),
    ))
}

fn to_file_query(
    params: FileListQuery,
    caller: &Username,
    limit: u32,
) -> Result<FileQuery, Problem> {
    let given = |raw: Option<String>, name: &str| match raw {
        Some(raw) if raw.contains('\0') => Err(Problem::invalid(
            format!("#{name}"),
            "The value must not contain NUL.",
        )),
        raw => Ok(raw.filter(|raw| !raw.is_empty())),
    };
    let q = given(params.q, "q")?;
    // The search may compare it with every name.
    if q.as_ref().is_some_and(|q| q.len() > MAX_SEARCH_BYTES) {
        return Err(Problem::invalid(
            "#q",
            "The search text has at most 255 bytes.",
        ));
    }
    let sort = sorting::sort(params.sort, params.order);
    let after = given(params.after, "after")?;
    let after = after.map(|after| sorting::decode(sort.column, &after));
    let locked_by = params.locked_by.as_deref().map(Username::parse).transpose();
    Ok(FileQuery {
        prefix: given(params.prefix, "prefix")?.map(|prefix| NameKey::fold(&prefix)),
        search: q.as_deref().and_then(Search::parse),
        holder: params.status.map(|status| match status {
            FileStatus::Unlocked => LockFilter::Unlocked,
            FileStatus::Locked => LockFilter::NotLockedBy(caller.clone()),
            FileStatus::CheckedOutByUser => LockFilter::LockedBy(caller.clone()),
        }),
        locked_by: locked_by.map_err(|error| Problem::invalid("#locked_by", error))?,
        sort,
        after: after.transpose()?,
        limit,
    })
}
