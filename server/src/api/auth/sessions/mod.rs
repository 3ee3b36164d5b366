//! The caller's sessions.

pub mod end;
pub mod end_others;
pub mod list;
