//! Lists in pages: how many entries one holds, and where the next begins.

use axum::Json;
use http::{HeaderMap, HeaderValue, Uri, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::Problem;

/// Which page, of a list that has nothing else to ask.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// From the `Link` of the page before.
    after: Option<String>,
}

/// The page that was asked for, of a list that is short enough to be read whole. Entries stand in the order of their
/// place, which is also what the next page begins after: an entry that went meanwhile leaves no gap.
///
/// # Errors
/// 422 for a limit out of bounds, and for an `after` that no page gave.
pub(crate) fn page<T, P: Ord + Serialize + DeserializeOwned>(
    uri: &Uri,
    asked: &Asked,
    mut entries: Vec<T>,
    place: impl Fn(&T) -> P,
) -> Result<(HeaderMap, Json<Vec<T>>), Problem> {
    let limit = limit(asked.limit)? as usize;
    entries.sort_by_cached_key(&place);
    if let Some(after) = &asked.after {
        let after: P = serde_json::from_str(after).map_err(|_| no_place())?;
        entries.drain(..entries.partition_point(|entry| place(entry) <= after));
    }
    let mut headers = HeaderMap::new();
    if entries.len() > limit {
        entries.truncate(limit);
        if let Some(last) = entries.last() {
            headers = next(uri, &word(&place(last))?);
        }
    }
    Ok((headers, Json(entries)))
}

fn word(place: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(place).map_err(|error| Problem::Internal(error.to_string()))
}

pub(crate) fn no_place() -> Problem {
    Problem::invalid("#after", "This is not from the Link of a page.")
}

/// `?limit=`: 100 unless said, at most 1,000.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(100) {
        limit @ 1..=1000 => Ok(limit),
        _ => Err(Problem::invalid("#limit", "A page has 1 to 1000 entries.")),
    }
}

/// `Link: <…>; rel="next"` (RFC 8288): this address with `after` replaced.
pub(crate) fn next(uri: &Uri, after: &str) -> HeaderMap {
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
