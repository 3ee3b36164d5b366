//! The device authorization flow (RFC 8628).

pub mod authorize;
pub mod decide;
pub mod lookup;
