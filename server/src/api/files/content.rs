//! `GET /api/files/{filename}/content`

use std::ops::Range;

use auth::access::extract::Revalidating;
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch, IfRange};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_range_header::{
    EndPosition, StartPosition, SyntacticallyCorrectRange, parse_range_header,
};
use serde::Deserialize;
use vault::{Filename, action::Read};

use crate::{
    error::Problem,
    extract::{FilenameParam, Query},
    live::{VaultViewer, authorized_content},
    state::AppState,
    to_wire,
};

/// Content that is sent at once, right after the door's check. Longer content checks access again.
const MAX_UNCHECKED_BYTES: u64 = 64 * 1024;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContentQuery {
    /// A revision number. Without it, the newest revision.
    #[param(minimum = 1)]
    revision: Option<i64>,
}

/// Download the content of a file, whole or a range.
#[utoipa::path(get, path = "/api/vaults/{vault}/files/{filename}/content", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ContentQuery,
        ("Range" = Option<String>, Header), ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The content.", content_type = "application/octet-stream"),
        (status = 206, description = "The requested range.", content_type = "application/octet-stream"),
        (status = 304, description = "The content matches `If-None-Match`."),
    ))]
pub async fn handle(
    permitted: Revalidating<Read>,
    State(state): State<AppState>,
    FilenameParam(name): FilenameParam,
    Query(query): Query<ContentQuery>,
    request_headers: HeaderMap,
) -> Result<Response, Problem> {
    let permit = &permitted.permit;
    let blob = state.vault.content(permit, &name, query.revision).await?;
    let mut headers = to_wire::etag(&blob.id);
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    let tag: Option<ETag> = headers.typed_get();
    if is_cached(&request_headers, tag.as_ref()) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let requested = requested_range(&request_headers, tag.as_ref(), blob.size)?;
    let range = requested.clone().unwrap_or(0..blob.size);
    set_content_headers(&mut headers, &download_name(&name, query.revision), &range);
    let status = if requested.is_some() {
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, blob.size);
        headers.insert(
            header::CONTENT_RANGE,
            HeaderValue::try_from(text).map_err(|_| Problem::Range { size: blob.size })?,
        );
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let is_short = range.end - range.start <= MAX_UNCHECKED_BYTES;
    let slot = (!is_short)
        .then(|| state.streams.open_transfer(permitted.caller()))
        .transpose()?;
    let content = state.vault.open_content(permit, &blob, range).await?;
    let body = if let Some(slot) = slot {
        let caller = permitted.caller().clone();
        let viewer = VaultViewer::new(state.auth.clone(), caller, permit, slot);
        authorized_content(content, state.hub.clone(), viewer)
    } else {
        Body::from_stream(content)
    };
    Ok((status, headers, body).into_response())
}

/// The file name without its folder. A requested revision has a name of its own (`vise.r3.step`), so
/// that no download replaces another.
fn download_name(name: &Filename, revision: Option<i64>) -> String {
    let name = name.file_name();
    let Some(revision) = revision else {
        return name.to_owned();
    };
    match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
        Some((stem, ending)) => format!("{stem}.r{revision}.{ending}"),
        None => format!("{name}.r{revision}"),
    }
}

/// RFC 6266 Appendix D: the name in ASCII for old clients, then the whole one (RFC 8187). No
/// character of the name can end the header or the parameter.
fn content_disposition(name: &str) -> String {
    let fallback: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            ' '..='~' => c,
            _ => '_',
        })
        .collect();
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{encoded}")
}

fn set_content_headers(headers: &mut HeaderMap, name: &str, range: &Range<u64>) {
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(
        header::CONTENT_LENGTH,
        HeaderValue::from(range.end - range.start),
    );
    if let Ok(value) = HeaderValue::try_from(content_disposition(name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    let sandbox = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, sandbox);
}

/// Whether the client has the content: `If-None-Match` names it (RFC 9110 §13.1.2).
fn is_cached(request_headers: &HeaderMap, tag: Option<&ETag>) -> bool {
    let condition: Option<IfNoneMatch> = request_headers.typed_get();
    condition.is_some_and(|condition| tag.is_some_and(|tag| !condition.precondition_passes(tag)))
}

/// The part of a range that lies within `size` bytes. A suffix range longer than the content is the
/// whole content (RFC 9110 §14.1.2).
fn resolve_range(range: SyntacticallyCorrectRange, size: u64) -> Option<Range<u64>> {
    let start = match range.start {
        StartPosition::Index(first) => first,
        StartPosition::FromLast(last) => size.saturating_sub(last),
    };
    let end = match range.end {
        EndPosition::Index(last) => size.min(last.saturating_add(1)),
        EndPosition::LastByte => size,
    };
    (start < end).then_some(start..end)
}

/// The single requested range. A request for several ranges gets the whole content, which RFC 9110
/// §14.2 allows.
fn requested_range(
    request_headers: &HeaderMap,
    tag: Option<&ETag>,
    size: u64,
) -> Result<Option<Range<u64>>, Problem> {
    let Some(range) = request_headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
    else {
        return Ok(None);
    };
    // An `If-Range` that cannot be parsed names other content.
    let is_other_content = match request_headers.typed_try_get::<IfRange>() {
        Ok(condition) => condition.is_some_and(|condition| condition.is_modified(tag, None)),
        Err(_) => true,
    };
    if is_other_content {
        return Ok(None);
    }
    // Empty content has no ranges. The response is the whole of it, which RFC 9110 §14.2 allows.
    if size == 0 {
        return Ok(None);
    }
    let Ok(parsed) = parse_range_header(range) else {
        return Ok(None);
    };
    let mut ranges = parsed
        .ranges
        .into_iter()
        .filter_map(|range| resolve_range(range, size));
    match (ranges.next(), ranges.next()) {
        (Some(range), None) => Ok(Some(range)),
        (Some(_), Some(_)) => Ok(None),
        (None, _) => Err(Problem::Range { size }),
    }
}
