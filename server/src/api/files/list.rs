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
    store::{FileQuery, LockFilter},
};
use wire::{File, FileStatus};

use crate::{api::paging, error::Problem, extract::Query, shape, state::Vault};

/// Bytes of a search text.
const MOST_SEARCHED: usize = 255;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// A prefix of the filename, such as `fixtures/`.
    prefix: Option<String>,
    /// A part of the filename, case-insensitive.
    #[param(max_length = 255)]
    q: Option<String>,
    #[param(inline)]
    status: Option<FileStatus>,
    /// The user who holds the lock.
    locked_by: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The cursor from the `Link` header of the previous page.
    after: Option<String>,
}

/// List files by filename.
#[utoipa::path(get, path = "/api/vaults/{vault}/files", tag = "Files",
    params(("vault" = String, Path), Asked),
    responses((status = 200, description = "A page of the list.", body = [File])))]
pub async fn handle(
    Permitted(permit): Permitted<Read>,
    State(vault): State<Vault>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Json<Vec<File>>), Problem> {
    let limit = paging::limit(asked.limit)?;
    let mut files = vault
        .files(&permit, query(asked, permit.username(), limit + 1)?)
        .await?;
    let mut headers = HeaderMap::new();
    if files.len() > limit as usize {
        files.truncate(limit as usize);
        if let Some(last) = files.last() {
            headers = paging::next(&uri, last.name.as_str());
        }
    }
    let viewer = permit.username();
    Ok((
        headers,
        Json(files.iter().map(|file| shape::file(file, viewer)).collect()),
    ))
}

fn query(asked: Asked, me: &Username, limit: u32) -> Result<FileQuery, Problem> {
    let fold = |raw: Option<String>, name: &str| match raw {
        Some(raw) if raw.contains('\0') => {
            Err(Problem::invalid(format!("#{name}"), "The value must not contain NUL."))
        }
        // The search compares it with every name.
        Some(raw) if name == "q" && raw.len() > MOST_SEARCHED => {
            Err(Problem::invalid("#q", "The search text has at most 255 bytes."))
        }
        raw => Ok(raw
            .filter(|raw| !raw.is_empty())
            .map(|raw| NameKey::fold(&raw))),
    };
    let locked_by = asked.locked_by.as_deref().map(Username::parse).transpose();
    Ok(FileQuery {
        prefix: fold(asked.prefix, "prefix")?,
        search: fold(asked.q, "q")?,
        holder: asked.status.map(|status| match status {
            FileStatus::Unlocked => LockFilter::Unlocked,
            FileStatus::Locked => LockFilter::NotLockedBy(me.clone()),
            FileStatus::CheckedOutByUser => LockFilter::LockedBy(me.clone()),
        }),
        locked_by: locked_by.map_err(|error| Problem::invalid("#locked_by", error))?,
        after: fold(asked.after, "after")?,
        limit,
    })
}
