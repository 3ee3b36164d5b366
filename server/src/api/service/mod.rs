//! For the operator: health, metrics, and the API document.

pub mod docs;
pub mod live;
pub mod metrics;
pub mod ready;
