//! Logs on standard error, as text or JSON, and metrics for Prometheus.

use std::{io::IsTerminal, sync::OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Config, ConfigError, LogFormat};

/// These libraries log passkey challenges and responses above this level.
const NOISY_TARGETS: [&str; 2] = ["webauthn_rs=error", "webauthn_rs_core=error"];

/// Starts logging for the whole process. `main` calls it once.
///
/// # Errors
/// The filter is invalid.
pub fn init_logging(config: &Config) -> Result<(), ConfigError> {
    let mut filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|error| ConfigError(format!("log.filter \"{}\": {error}", config.log_filter)))?;
    for directive in NOISY_TARGETS
        .iter()
        .filter_map(|directive| directive.parse().ok())
    {
        filter = filter.add_directive(directive);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match config.log_format {
        LogFormat::Human => registry.with(lines.compact()).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    started.map_err(|error| ConfigError(format!("logging is already started: {error}")))
}

/// Metrics of the whole process. Several servers in one process (in tests) share them.
#[must_use]
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            builder()
                .install_recorder()
                .unwrap_or_else(|_| builder().build_recorder().handle())
        })
        .clone()
}

fn builder() -> PrometheusBuilder {
    let buckets = [
        0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &buckets)
        .unwrap_or_else(|_| PrometheusBuilder::new())
}
