//! What is counted by asking the database now and then, for the metrics.

use std::time::Duration;

use auth::Clock;

use crate::state::Store;

const EVERY: Duration = Duration::from_secs(30);

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
