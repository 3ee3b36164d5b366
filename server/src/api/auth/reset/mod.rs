//! A new password by link.

pub mod ask;
pub mod confirm;
