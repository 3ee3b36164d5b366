//! For whoever runs it: health, metrics, and the documents that describe it.

pub mod docs;
pub mod live;
pub mod metrics;
pub mod ready;
