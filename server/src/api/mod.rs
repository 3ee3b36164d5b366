//! The REST API. Each file has one operation and its description for the API document.

pub mod audit;
pub mod auth;
pub mod document;
pub mod events;
pub mod files;
pub mod groups;
pub(crate) mod paging;
pub mod service;
pub mod throttle;
pub mod users;
pub mod vaults;
