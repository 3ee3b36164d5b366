//! Vaults and the roles in them.

pub mod create;
pub mod groups;
pub mod list;
pub mod members;
pub mod remove_member;
pub mod set_member;
pub mod show;
