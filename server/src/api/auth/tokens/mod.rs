//! One's own personal access tokens.

pub mod end;
pub mod list;
pub mod make;
