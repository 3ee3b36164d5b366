//! Signing in a device that has no browser (RFC 8628).

pub mod begin;
pub mod decide;
pub mod look;
