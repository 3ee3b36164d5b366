//! Password reset by link.

pub mod confirm;
pub mod request;
