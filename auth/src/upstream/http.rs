//! The host's HTTP client, and the rule for the URLs that it may request.

use std::{fmt, pin::Pin, sync::Arc};

use openidconnect::{
    AsyncHttpClient, HttpRequest, HttpResponse,
    url::{Host, Url},
};

use super::provider::Provider;

/// Why a request to a provider failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HttpError(pub String);

type HttpFuture = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send>>;

/// The host's HTTP client. It should follow no redirects, limit response sizes, and have a timeout.
#[derive(Clone)]
pub struct HttpClient(Arc<dyn Fn(HttpRequest) -> HttpFuture + Send + Sync>);

impl HttpClient {
    pub fn new(send: impl Fn(HttpRequest) -> HttpFuture + Send + Sync + 'static) -> Self {
        Self(Arc::new(send))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = HttpFuture;

    fn call(&'c self, request: HttpRequest) -> HttpFuture {
        (self.0)(request)
    }
}

/// An HTTP client that sends requests to allowed URLs of one provider only.
pub(super) struct HttpsOnlyClient<'a> {
    pub(super) http: &'a HttpClient,
    pub(super) provider: &'a Provider,
}

impl<'c> AsyncHttpClient<'c> for HttpsOnlyClient<'_> {
    type Error = HttpError;
    type Future = HttpFuture;

    fn call(&'c self, request: HttpRequest) -> HttpFuture {
        match Url::parse(&request.uri().to_string()) {
            Ok(url) if is_allowed_url(&url, self.provider) => self.http.call(request),
            _ => Box::pin(async {
                Err(HttpError(
                    "an endpoint is neither https nor on this host".to_owned(),
                ))
            }),
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
