//! The HTTP client for upstream `OpenID` providers: no redirects, a timeout, and a size limit on
//! responses.

use std::time::Duration;

use auth::upstream::{HttpClient, HttpError};
use futures_util::StreamExt as _;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum response size. Keys and metadata of a provider are about 10 KiB.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// # Errors
/// TLS cannot be initialized.
pub(crate) fn http_client() -> anyhow::Result<HttpClient> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(REQUEST_TIMEOUT)
        .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(HttpClient::new(move |request| {
        let client = client.clone();
        Box::pin(async move { send(&client, request).await })
    }))
}

async fn send(
    client: &reqwest::Client,
    request: http::Request<Vec<u8>>,
) -> Result<http::Response<Vec<u8>>, HttpError> {
    // Without the URL: its query may contain secrets.
    let failed = |error: reqwest::Error| HttpError::NotReached(error.without_url().to_string());
    let unusable = |what: String| HttpError::UnusableResponse(what);
    let request = reqwest::Request::try_from(request).map_err(failed)?;
    let upstream_response = client.execute(request).await.map_err(failed)?;
    let mut response = http::Response::builder().status(upstream_response.status());
    for (name, value) in upstream_response.headers() {
        response = response.header(name, value);
    }
    let (mut body, mut stream) = (Vec::new(), upstream_response.bytes_stream());
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.map_err(failed)?);
        if body.len() > MAX_RESPONSE_BYTES {
            return Err(unusable("the response is too large".to_owned()));
        }
    }
    response
        .body(body)
        .map_err(|error| unusable(error.to_string()))
}
