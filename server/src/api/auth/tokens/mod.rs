//! The caller's personal access tokens.

pub mod create;
pub mod end;
pub mod list;
