//! Folders and files of a vault.

use std::sync::Arc;

use auth::{AuthError, Caller, Permit, Permitted, Realm, RealmName, error::AccessError};
use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Redirect, Response},
};
use http::{StatusCode, request::Parts};
use serde::Deserialize;
use vault::{
    Filename, VaultError, VaultStore,
    action::Read,
    order::{FolderPosition, Position, SortColumn},
    store::{FolderEntry, FolderQuery},
};

use super::{no_vault::NoVaultPage, send, shell};
use crate::{
    api::files::{
        history::overrides_of,
        sorting::{self, SortBy, SortOrder},
    },
    error::Problem,
    extract::{Query, path_param},
    state::{AppState, Auth, SiteInfo, Store, Vault},
    to_wire,
    web::{Columns, DeletedPage, FilePage, Folder, FolderPage, Row, VaultContext},
};

/// Rows per page.
const PAGE_ENTRIES: u32 = 200;

#[derive(Debug, Deserialize)]
pub(crate) struct VaultPageQuery {
    after: Option<String>,
    sort: Option<SortBy>,
    order: Option<SortOrder>,
}

/// Extracts the dependencies of the page handlers for files.
#[derive(Clone, Debug)]
pub(crate) struct PageDeps {
    auth: Auth,
    vault: Vault,
    store: Store,
    site: Arc<SiteInfo>,
}

impl FromRequestParts<AppState> for PageDeps {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, Self::Rejection> {
        Ok(Self {
            auth: state.auth.clone(),
            vault: state.vault.clone(),
            store: state.store.clone(),
            site: state.site.clone(),
        })
    }
}

/// The path at the end of the URL, of a folder or a file. An invalid name is not found.
#[derive(Debug)]
pub(crate) struct PathParam(Filename);

impl FromRequestParts<AppState> for PathParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let raw = path_param(parts, state, "path").await?;
        Filename::parse(&raw)
            .map(Self)
            .map_err(|_| VaultError::NotFound.into())
    }
}

/// `GET /`: the vault `main`, or the first one that the caller can see.
pub(crate) async fn home(
    caller: Caller,
    deps: PageDeps,
    Query(query): Query<VaultPageQuery>,
) -> Result<Response, Problem> {
    let vaults = deps.auth.sessions().realms_of(&caller).await?;
    if vaults.is_empty() {
        let shell = shell(&deps.auth, &deps.store, &caller, None).await?;
        return send(StatusCode::OK, &NoVaultPage { shell });
    }
    let main = vaults
        .iter()
        .position(|(vault, _)| RealmName::parse("main").as_ref() == Ok(&vault.name));
    let realm = &vaults[main.unwrap_or(0)].0;
    let permit = caller.permit::<Read>(Some(realm))?;
    folder_page(&caller, &permit, &deps, None, query).await
}

/// `GET /v/{vault}`
pub(crate) async fn root(
    Permitted(permit): Permitted<Read>,
    caller: Caller,
    deps: PageDeps,
    Query(query): Query<VaultPageQuery>,
) -> Result<Response, Problem> {
    folder_page(&caller, &permit, &deps, None, query).await
}

/// `GET /v/{vault}/f/{*path}`
pub(crate) async fn subfolder(
    Permitted(permit): Permitted<Read>,
    caller: Caller,
    deps: PageDeps,
    PathParam(path): PathParam,
    Query(query): Query<VaultPageQuery>,
) -> Result<Response, Problem> {
    folder_page(&caller, &permit, &deps, Some(path), query).await
}

async fn vault_context(
    caller: &Caller,
    realm: &Realm,
    deps: &PageDeps,
) -> Result<VaultContext, Problem> {
    let role = caller
        .role_in(&realm.id)
        .ok_or(AuthError::Access(AccessError::RealmNotFound))?;
    // Read before the files: an event in between is then applied twice instead of never.
    let heads = deps
        .store
        .heads(&realm.id)
        .await
        .map_err(VaultError::Store)?;
    let max_file_size = deps.site.config.max_file_size;
    Ok(VaultContext {
        vault: realm.name.to_string(),
        role,
        since: heads.event,
        max_file_size,
    })
}

async fn folder_page(
    caller: &Caller,
    permit: &Permit<Read>,
    deps: &PageDeps,
    folder: Option<Filename>,
    query: VaultPageQuery,
) -> Result<Response, Problem> {
    let at = vault_context(caller, permit.realm(), deps).await?;
    let columns = Columns::new(query.sort, query.order);
    let sort = columns.sort();
    let after = query
        .after
        .and_then(|after| folder_position(sort.column, &after));
    let is_first = after.is_none();
    let listed = FolderQuery {
        folder: folder.clone(),
        sort,
        after,
        limit: PAGE_ENTRIES + 1,
    };
    let mut entries = deps.vault.folder(permit, listed).await?;
    if entries.is_empty() && folder.is_some() && is_first {
        return Err(VaultError::NotFound.into());
    }
    let more = entries.len() > PAGE_ENTRIES as usize;
    entries.truncate(PAGE_ENTRIES as usize);
    let path = folder.as_ref().map_or("", Filename::as_str).to_owned();
    let next = entries.last().filter(|_| more).map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        columns.append_to(&mut query);
        query.append_pair("after", &cursor(last, sort.column));
        format!("{}?{}", at.folder_url(&path), query.finish())
    });
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            FolderEntry::Folder(name) => folders.push(Folder {
                path: name.to_string(),
            }),
            FolderEntry::File(file) => files.push(Row(to_wire::file(&file, permit.username()))),
        }
    }
    let shell = shell(&deps.auth, &deps.store, caller, Some(&at.vault)).await?;
    send(
        StatusCode::OK,
        &FolderPage {
            shell,
            at,
            folder: path,
            columns,
            folders,
            files,
            next,
        },
    )
}

/// The last item of a page, for the URL of the next one.
fn cursor(entry: &FolderEntry, column: SortColumn) -> String {
    match entry {
        FolderEntry::Folder(name) => format!("folder:{name}"),
        FolderEntry::File(file) => {
            format!("file:{}", sorting::encode(&Position::of(file, column)))
        }
    }
}

/// Parses a [`cursor`]. With any other text, the list starts from the beginning.
fn folder_position(column: SortColumn, cursor: &str) -> Option<FolderPosition> {
    let (kind, rest) = cursor.split_once(':')?;
    if kind == "folder" {
        return Filename::parse(rest).ok().map(FolderPosition::Folder);
    }
    let position = sorting::decode(column, rest).ok()?;
    Some(FolderPosition::File(position))
}

/// `GET /v/{vault}/h/{*path}`
pub(crate) async fn file(
    Permitted(permit): Permitted<Read>,
    caller: Caller,
    deps: PageDeps,
    PathParam(name): PathParam,
    Query(query): Query<VaultPageQuery>,
) -> Result<Response, Problem> {
    const REVISIONS: u32 = 50;
    let at = vault_context(&caller, permit.realm(), &deps).await?;
    let before = query.after.and_then(|after| after.parse().ok());
    let file = match deps.vault.file(&permit, &name).await {
        Ok(file) => Some(Row(to_wire::file(&file, permit.username()))),
        Err(VaultError::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    if file.is_none()
        && let Some(moved) = new_address(&permit, &at, &deps, &name).await?
    {
        return Ok(Redirect::temporary(&moved).into_response());
    }
    let mut revisions = deps
        .vault
        .history(&permit, &name, before, REVISIONS + 1)
        .await?;
    let more = revisions.len() > REVISIONS as usize;
    revisions.truncate(REVISIONS as usize);
    let filename = name.to_string();
    let last = revisions.last().filter(|_| more);
    let next = last.map(|last| format!("{}?after={}", at.file_url(&filename), last.revision));
    let overrides = overrides_of(&deps.store, permit.realm(), &revisions).await?;
    let revisions = to_wire::history(&revisions, &overrides);
    let shell = shell(&deps.auth, &deps.store, &caller, Some(&at.vault)).await?;
    send(
        StatusCode::OK,
        &FilePage {
            shell,
            at,
            filename,
            file,
            revisions,
            next,
        },
    )
}

/// The page of the file that was moved away from `name`.
async fn new_address(
    permit: &Permit<Read>,
    at: &VaultContext,
    deps: &PageDeps,
    name: &Filename,
) -> Result<Option<String>, Problem> {
    let moved = deps.store.moved_file(&permit.realm().id, name).await;
    let moved = moved.map_err(VaultError::Store)?;
    Ok(moved.map(|file| at.file_url(file.name.as_str())))
}

/// `GET /v/{vault}/deleted`
pub(crate) async fn deleted(
    Permitted(permit): Permitted<Read>,
    caller: Caller,
    deps: PageDeps,
    Query(query): Query<VaultPageQuery>,
) -> Result<Response, Problem> {
    let at = vault_context(&caller, permit.realm(), &deps).await?;
    let before = query.after.and_then(|after| after.parse().ok());
    let mut deleted_files = deps
        .vault
        .deleted(&permit, before, PAGE_ENTRIES + 1)
        .await?;
    let more = deleted_files.len() > PAGE_ENTRIES as usize;
    deleted_files.truncate(PAGE_ENTRIES as usize);
    let last = deleted_files.last().filter(|_| more);
    let next = last.map(|last| format!("{}/deleted?after={}", at.url(), last.change));
    let files = deleted_files
        .iter()
        .map(|file| to_wire::file(file, permit.username()))
        .collect();
    let shell = shell(&deps.auth, &deps.store, &caller, Some(&at.vault)).await?;
    send(
        StatusCode::OK,
        &DeletedPage {
            shell,
            at,
            files,
            next,
        },
    )
}
