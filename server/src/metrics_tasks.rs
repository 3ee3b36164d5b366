//! Periodic work for the metrics: the number of live sessions, and the upkeep of histograms.

use std::time::Duration;

use auth::Clock;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::state::Store;

const SESSION_COUNT_INTERVAL: Duration = Duration::from_secs(30);
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Never returns. Run it as a task.
pub(crate) async fn record_live_sessions(store: Store, clock: Clock) {
    let mut ticks = tokio::time::interval(SESSION_COUNT_INTERVAL);
    loop {
        ticks.tick().await;
        match store.live_sessions(clock.now()).await {
            Ok(live) => {
                for (kind, sessions) in live {
                    metrics::gauge!("strongroom_sessions_live", "kind" => kind).set(sessions);
                }
            }
            Err(error) => tracing::warn!(%error, "cannot count live sessions"),
        }
    }
}

/// Never returns. Run it as a task. A histogram keeps each measurement until its upkeep or a
/// scrape. Without scrapes, memory would grow with every request.
pub(crate) async fn run_histogram_upkeep(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}
