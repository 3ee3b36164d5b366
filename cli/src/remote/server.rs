//! A Strongroom somewhere, spoken to over HTTP.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, RequestBuilder, Url, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};

/// One request, at most.
const WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Server {
    url: String,
    http: Client,
}

/// What came back, where anything came back.
pub(super) enum Answer<T> {
    Good(T),
    Refused(Refused),
}

/// A problem (RFC 9457), or an OAuth error (RFC 6749 §5.2): ours are both.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refused {
    #[serde(skip)]
    pub(super) status: u16,
    #[serde(skip)]
    pub(super) retry_after: Option<Duration>,
    pub(super) error: String,
    pub(super) detail: String,
}

/// Scheme and host, as the server calls itself.
pub(super) fn tidy(raw: &str) -> anyhow::Result<String> {
    let with_scheme = if raw.contains("://") {
        raw.to_owned()
    } else {
        format!("https://{raw}")
    };
    let bad = || format!("\"{raw}\" is no address of a server: write https://files.example.org");
    let url = Url::parse(&with_scheme).with_context(bad)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    if !plain || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        anyhow::bail!(bad());
    }
    Ok(url.origin().ascii_serialization())
}

/// Whether what is sent there can be read on the way.
pub(super) fn is_in_the_clear(url: &str) -> bool {
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
    /// `url` is [tidy].
    pub(super) fn at(url: &str) -> anyhow::Result<Self> {
        let name = concat!("strongroom/", env!("CARGO_PKG_VERSION"));
        let agent = format!(
            "{name} ({} {})",
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        // Redirects are not followed: a token is for the server that it was given by.
        let http = Client::builder()
            .timeout(WITHIN)
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

    pub(super) async fn look<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Answer<T>> {
        self.answer(self.http.get(self.address(path))).await
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        token: &SecretString,
    ) -> anyhow::Result<Answer<T>> {
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
    ) -> anyhow::Result<Answer<T>> {
        self.answer(self.http.post(self.address(path)).form(form))
            .await
    }

    /// Where nothing is to be read.
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
        // Not the error's own words: they may hold the whole address.
        let sent = request.send().await.map_err(reqwest::Error::without_url);
        sent.with_context(|| format!("{} cannot be reached", self.url))
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> anyhow::Result<Answer<T>> {
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
            let stranger = || format!("{} answers, but not as a Strongroom does", self.url);
            return Ok(Answer::Good(
                serde_json::from_slice(&body).with_context(stranger)?,
            ));
        }
        let mut refused: Refused = serde_json::from_slice(&body).unwrap_or_default();
        if refused.detail.is_empty() {
            refused.detail = format!("HTTP {status}");
        }
        Ok(Answer::Refused(Refused {
            status: status.as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
            ..refused
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_address_is_scheme_and_host_only() {
        assert_eq!(
            tidy("files.example.org").unwrap(),
            "https://files.example.org"
        );
        assert_eq!(
            tidy("HTTPS://Files.example.org:443/").unwrap(),
            "https://files.example.org"
        );
        assert_eq!(
            tidy("http://127.0.0.1:8000").unwrap(),
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
            assert!(tidy(bad).is_err(), "{bad}");
        }
        assert!(
            is_in_the_clear("http://files.example.org") && !is_in_the_clear("http://[::1]:8000")
        );
        assert!(!is_in_the_clear("https://files.example.org"));
    }
}
