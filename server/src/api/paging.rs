//! Pages of lists: the limit, the cursor, and the `Link` header (RFC 8288).

use axum::Json;
use http::{HeaderMap, HeaderValue, Uri, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::Problem;

/// The query of a list without filters.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The cursor from the `Link` header of the previous page.
    after: Option<String>,
}

/// The requested page of a list that fits in memory. Entries are sorted by their place, and the
/// cursor of the next page is a place. An entry removed meanwhile therefore leaves no gap.
///
/// # Errors
/// 422 for a limit out of bounds, and for an `after` that is no valid cursor.
pub(crate) fn page<T, P: Ord + Serialize + DeserializeOwned>(
    uri: &Uri,
    query: &PageQuery,
    mut entries: Vec<T>,
    cursor_of: impl Fn(&T) -> P,
) -> Result<(HeaderMap, Json<Vec<T>>), Problem> {
    let limit = parse_limit(query.limit)? as usize;
    entries.sort_by_cached_key(&cursor_of);
    if let Some(after) = &query.after {
        let after: P = serde_json::from_str(after).map_err(|_| invalid_cursor())?;
        entries.drain(..entries.partition_point(|entry| cursor_of(entry) <= after));
    }
    let mut headers = HeaderMap::new();
    if entries.len() > limit {
        entries.truncate(limit);
        if let Some(last) = entries.last() {
            headers = next_link(uri, &encode_cursor(&cursor_of(last))?);
        }
    }
    Ok((headers, Json(entries)))
}

fn encode_cursor(cursor: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(cursor).map_err(|error| Problem::Internal(error.to_string()))
}

pub(crate) fn invalid_cursor() -> Problem {
    Problem::invalid(
        "#after",
        "The cursor is not from the Link header of a page.",
    )
}

/// `?limit=`: 100 by default, at most 1,000.
pub(crate) fn parse_limit(requested: Option<u32>) -> Result<u32, Problem> {
    match requested.unwrap_or(100) {
        limit @ 1..=1000 => Ok(limit),
        _ => Err(Problem::invalid("#limit", "The limit must be 1 to 1000.")),
    }
}

/// `Link: <…>; rel="next"` (RFC 8288): the URL of the request with `after` replaced.
pub(crate) fn next_link(uri: &Uri, after: &str) -> HeaderMap {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()) {
        if name != "after" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("after", after);
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish());
    let mut headers = HeaderMap::new();
    if let Ok(link) = HeaderValue::try_from(link) {
        headers.insert(header::LINK, link);
    }
    headers
}
