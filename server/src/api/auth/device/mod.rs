//! The device authorization flow (RFC 8628).

pub mod begin;
pub mod decide;
pub mod look;
