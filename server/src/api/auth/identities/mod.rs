//! Accounts at upstream providers that open one's own.

pub mod link;
pub mod list;
pub mod unlink;
