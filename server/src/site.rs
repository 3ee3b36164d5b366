//! What the configuration says about this installation, for handlers and layers.

use crate::{
    config::Config,
    readiness::Readiness,
    url_host::{host_of, port_of},
    web::strength_limit::StrengthLimit,
};

/// How clients reach the installation, from the configuration.
#[derive(Debug)]
pub struct SiteInfo {
    pub config: Config,
    /// The host of `public_url`, in lower case.
    pub host: String,
    /// The end of each cookie's name: browsers send cookies to all ports of a host (RFC 6265bis
    /// §8.5). Empty for the scheme's own port.
    pub cookie_suffix: String,
    pub session_cookie: String,
    /// The name in versions before the port was part of it.
    pub former_session_cookie: Option<&'static str>,
    /// The origin where passkeys work; `None` if they do not.
    pub passkey_origin: Option<String>,
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    pub strength_limit: StrengthLimit,
    pub readiness: Readiness,
}

impl SiteInfo {
    #[must_use]
    pub fn new(config: Config, metrics: metrics_exporter_prometheus::PrometheusHandle) -> Self {
        // Browsers accept `__Host-` only with Secure, and Secure only over https (RFC 6265bis
        // §4.1.3.2).
        let plain_cookie = if config.public_url.starts_with("https://") {
            "__Host-strongroom"
        } else {
            "strongroom"
        };
        let port = port_of(&config.public_url);
        let cookie_suffix = port.map_or_else(String::new, |port| format!("-{port}"));
        let passkey_origin = auth::factor::passkey::webauthn_origin(&config.public_url);
        let host = host_of(&config.public_url);
        Self {
            config,
            host,
            session_cookie: format!("{plain_cookie}{cookie_suffix}"),
            former_session_cookie: port.map(|_| plain_cookie),
            cookie_suffix,
            passkey_origin,
            metrics,
            strength_limit: StrengthLimit::default(),
            readiness: Readiness::default(),
        }
    }

    #[must_use]
    pub fn is_https(&self) -> bool {
        self.config.public_url.starts_with("https://")
    }
}
