//! Roles of groups in a vault.

pub mod list;
pub mod remove;
pub mod set;
