//! Authorization: permits, the policy that alone makes them, and extractors that turn a request
//! into one.
//!
//! A handler without a permit does not compile; see `access::extract`.

pub(crate) mod denial_log;
pub mod denied;
#[cfg(feature = "axum")]
pub mod extract;
pub mod permit;
pub mod policy;
