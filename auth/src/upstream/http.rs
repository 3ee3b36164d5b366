//! The host's HTTP client, and the rule for the URLs that it may request.

use std::{fmt, pin::Pin, sync::Arc};

use http::{Request, Response, header};
use url::{Host, Url};

use super::provider::Provider;

/// Why a request to a provider failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// There is no response.
    #[error("{0}")]
    NotReached(String),
    /// There is a response, and it cannot be used.
    #[error("{0}")]
    UnusableResponse(String),
}

type HttpFuture = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, HttpError>> + Send>>;

/// The host's HTTP client. It should follow no redirects, limit response sizes, and have a timeout.
#[derive(Clone)]
pub struct HttpClient(Arc<dyn Fn(Request<Vec<u8>>) -> HttpFuture + Send + Sync>);

impl HttpClient {
    pub fn new(send: impl Fn(Request<Vec<u8>>) -> HttpFuture + Send + Sync + 'static) -> Self {
        Self(Arc::new(send))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

/// An HTTP client that sends requests to allowed URLs of one provider only.
#[derive(Clone, Copy)]
pub(super) struct ProviderHttp<'a> {
    pub(super) http: &'a HttpClient,
    pub(super) provider: &'a Provider,
}

impl ProviderHttp<'_> {
    pub(super) async fn send(
        self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        match Url::parse(&request.uri().to_string()) {
            Ok(url) if is_allowed_url(&url, self.provider) => (self.http.0)(request).await,
            _ => Err(HttpError::UnusableResponse(
                "an endpoint is neither https nor on this host".to_owned(),
            )),
        }
    }

    /// The body of a response with status 200.
    pub(super) async fn get_json(self, url: &str) -> Result<Vec<u8>, HttpError> {
        let request = Request::get(url)
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|_| HttpError::UnusableResponse("an endpoint is not a URL".to_owned()))?;
        let response = self.send(request).await?;
        if response.status() == http::StatusCode::OK {
            Ok(response.into_body())
        } else {
            Err(HttpError::UnusableResponse(format!(
                "the response has status {}",
                response.status().as_u16()
            )))
        }
    }
}

/// Applies the operator's rule to every URL in the metadata: https, or this host if the issuer is
/// on it.
///
/// The client secret, keys and users never travel in plain text. A provider cannot direct requests
/// at local services.
pub(super) fn is_allowed_url(url: &Url, provider: &Provider) -> bool {
    let is_local = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let issuer_is_local = || Url::parse(&provider.issuer).is_ok_and(|issuer| is_local(&issuer));
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let has_allowed_scheme = match url.scheme() {
        "https" => !is_local(url) || issuer_is_local(),
        "http" => is_local(url) && issuer_is_local(),
        _ => false,
    };
    has_allowed_scheme && plain && url.host().is_some()
}
