//! HTTP to upstream `OpenID` providers: no redirects, no long waits, no endless answers.

use std::time::Duration;

use auth::upstream::{HttpClient, HttpError};
use futures_util::StreamExt as _;

const PATIENCE: Duration = Duration::from_secs(10);
/// Keys and metadata of a provider are some ten kilobytes.
const MOST: usize = 1024 * 1024;

/// # Errors
/// Where TLS cannot be had.
pub(crate) fn http_client() -> anyhow::Result<HttpClient> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(HttpClient::new(move |request| {
        let client = client.clone();
        Box::pin(async move { ask(&client, request).await })
    }))
}

async fn ask(
    client: &reqwest::Client,
    request: http::Request<Vec<u8>>,
) -> Result<http::Response<Vec<u8>>, HttpError> {
    // Without the address: the query of an error may hold what nobody should read.
    let failed = |error: reqwest::Error| HttpError(error.without_url().to_string());
    let request = reqwest::Request::try_from(request).map_err(failed)?;
    let answer = client.execute(request).await.map_err(failed)?;
    let mut response = http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let (mut body, mut stream) = (Vec::new(), answer.bytes_stream());
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.map_err(failed)?);
        if body.len() > MOST {
            return Err(HttpError("the answer is too large".to_owned()));
        }
    }
    response
        .body(body)
        .map_err(|error| HttpError(error.to_string()))
}
