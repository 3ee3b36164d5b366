//! Password reset by link.

pub mod ask;
pub mod confirm;
