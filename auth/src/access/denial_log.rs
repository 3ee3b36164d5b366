//! What this node remembers of denied requests, so that repetitions are not recorded each time.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{Username, throttle::event_dedup::RateLimitedEvents};

/// Concurrent audit writes. Further denials are only counted.
const MAX_WRITERS: usize = 32;

/// The last report per caller and denial.
#[derive(Debug)]
pub(crate) struct DenialLog {
    pub(super) reported: RateLimitedEvents<(Username, &'static str)>,
    pub(super) writers: Arc<Semaphore>,
}

impl Default for DenialLog {
    fn default() -> Self {
        Self {
            reported: RateLimitedEvents::default(),
            writers: Arc::new(Semaphore::new(MAX_WRITERS)),
        }
    }
}
