//! HTTP client of a Strongroom server.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, RequestBuilder, Url, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};

/// Limit for one request and its response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Server {
    url: String,
    http: Client,
}

/// A response with its body parsed.
pub(super) enum Response<T> {
    Success(T),
    Failure(ErrorBody),
}

/// A problem document (RFC 9457) or an OAuth error (RFC 6749 §5.2).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    #[serde(skip)]
    pub(super) status: u16,
    #[serde(skip)]
    pub(super) retry_after: Option<Duration>,
    pub(super) error: String,
    pub(super) detail: String,
}

/// Normalizes a server address to scheme, host and port. The scheme defaults to https.
pub(super) fn normalize_url(raw: &str) -> anyhow::Result<String> {
    let with_scheme = if raw.contains("://") {
        raw.to_owned()
    } else {
        format!("https://{raw}")
    };
    let bad =
        || format!("\"{raw}\" is not a server address: write it as https://files.example.org");
    let url = Url::parse(&with_scheme).with_context(bad)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    if !plain || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        anyhow::bail!(bad());
    }
    Ok(url.origin().ascii_serialization())
}

/// True for plain HTTP to a host other than loopback.
pub(super) fn is_unencrypted(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return true;
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|host| host.is_loopback());
    url.scheme() == "http" && !loopback
}

impl Server {
    /// `url` must come from [`normalize_url`].
    pub(super) fn at(url: &str) -> anyhow::Result<Self> {
        let name = concat!("strongroom/", env!("CARGO_PKG_VERSION"));
        let agent = format!(
            "{name} ({} {})",
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        // Redirects are not followed: a token must reach only the server that issued it.
        let http = Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .redirect(Policy::none())
            .user_agent(agent)
            .build()?;
        Ok(Self {
            url: url.to_owned(),
            http,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn get_public<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> anyhow::Result<Response<T>> {
        self.answer(self.http.get(self.address(path))).await
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        token: &SecretString,
    ) -> anyhow::Result<Response<T>> {
        self.answer(
            self.http
                .get(self.address(path))
                .bearer_auth(token.expose_secret()),
        )
        .await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> anyhow::Result<Response<T>> {
        self.answer(self.http.post(self.address(path)).form(form))
            .await
    }

    /// Posts a form and ignores the response body.
    pub(super) async fn form(&self, path: &str, form: &[(&str, &str)]) -> anyhow::Result<()> {
        let answer = self
            .send(self.http.post(self.address(path)).form(form))
            .await?;
        if answer.status().is_success() {
            Ok(())
        } else {
            anyhow::bail!("{} answered {}", self.url, answer.status())
        }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<reqwest::Response> {
        // The URL of an error may contain secrets.
        let sent = request.send().await.map_err(reqwest::Error::without_url);
        sent.with_context(|| format!("{} cannot be reached", self.url))
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> anyhow::Result<Response<T>> {
        let response = self.send(request).await?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|wait| wait.to_str().ok()?.parse().ok());
        let body = response
            .bytes()
            .await
            .map_err(reqwest::Error::without_url)?;
        if status.is_success() {
            let unexpected = || format!("{} is not a Strongroom server", self.url);
            return Ok(Response::Success(
                serde_json::from_slice(&body).with_context(unexpected)?,
            ));
        }
        let mut failure: ErrorBody = serde_json::from_slice(&body).unwrap_or_default();
        if failure.detail.is_empty() {
            failure.detail = format!("HTTP {status}");
        }
        Ok(Response::Failure(ErrorBody {
            status: status.as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
            ..failure
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_address_is_scheme_and_host_only() {
        assert_eq!(
            normalize_url("files.example.org").unwrap(),
            "https://files.example.org"
        );
        assert_eq!(
            normalize_url("HTTPS://Files.example.org:443/").unwrap(),
            "https://files.example.org"
        );
        assert_eq!(
            normalize_url("http://127.0.0.1:8000").unwrap(),
            "http://127.0.0.1:8000"
        );
        for bad in [
            "",
            "ftp://a",
            "https://a@b",
            "https://a/b",
            "https://a?b",
            "https://a#b",
            "http://",
        ] {
            let error = normalize_url(bad).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("\"{bad}\" is not a server address")),
                "{error}"
            );
        }
        assert!(is_unencrypted("http://files.example.org") && !is_unencrypted("http://[::1]:8000"));
        assert!(!is_unencrypted("https://files.example.org"));
    }
}
