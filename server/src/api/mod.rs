//! REST: one operation a file, each with its description for the API document.

pub mod audit;
pub mod auth;
pub mod document;
pub mod events;
pub mod files;
pub mod groups;
pub mod service;
pub mod throttle;
pub mod users;
pub mod vaults;

/// How many a page of a list holds, and how long the text of one is.
pub(crate) mod paging {
    use http::{HeaderMap, HeaderValue, Uri, header};

    use crate::error::Problem;

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
}
