//! What the configuration says about this installation, for handlers and layers.

use crate::{
    config::Config, readiness::Readiness, url_host::host_of, web::strength_limit::StrengthLimit,
};

/// How clients reach the installation, from the configuration.
#[derive(Debug)]
pub struct SiteInfo {
    pub config: Config,
    /// The host of `public_url`, in lower case.
    pub host: String,
    pub session_cookie: &'static str,
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
        let session_cookie = if config.public_url.starts_with("https://") {
            "__Host-strongroom"
        } else {
            "strongroom"
        };
        let passkey_origin = auth::factor::passkey::webauthn_origin(&config.public_url);
        let host = host_of(&config.public_url);
        Self {
            config,
            host,
            session_cookie,
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
