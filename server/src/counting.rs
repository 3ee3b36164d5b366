//! What the metrics need now and then: counts that the database knows, and measurements put in their buckets.

use std::time::Duration;

use auth::Clock;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::state::Store;

const EVERY: Duration = Duration::from_secs(30);
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// For ever: run it as a task.
pub(crate) async fn count(store: Store, clock: Clock) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        match store.live_sessions(clock.now()).await {
            Ok(live) => {
                for (kind, sessions) in live {
                    metrics::gauge!("strongroom_sessions_live", "kind" => kind).set(sessions);
                }
            }
            Err(error) => tracing::warn!(%error, "live sessions were not counted"),
        }
    }
}

/// For ever: run it as a task. Until it is folded or scraped, a histogram keeps each single measurement, and where
/// nobody scrapes, memory would grow with every request.
pub(crate) async fn fold(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(FOLD_EVERY);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}
