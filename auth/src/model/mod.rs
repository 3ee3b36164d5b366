//! The domain types of the crate: accounts, actors, realms, groups, scopes and opaque tokens. They
//! are parsed once, at the edge.
//!
//! Deliberately absent: authorization (`access`) and storage (`store`).

pub mod account;
pub mod actor;
pub mod auth_method;
pub mod group;
pub mod realm;
pub mod scope;
pub mod token;
pub(crate) mod typed_code;
pub mod username;
pub mod visible_text;
