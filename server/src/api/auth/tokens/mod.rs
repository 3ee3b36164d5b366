//! The caller's personal access tokens.

pub mod end;
pub mod list;
pub mod make;
