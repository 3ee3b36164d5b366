//! Step-up authentication (RFC 9470).

pub mod confirm;
pub mod options;
