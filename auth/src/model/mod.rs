//! The nouns of the crate: accounts, actors, realms, groups, scopes and opaque tokens. Parsed once, at the edge.
//!
//! Deliberately absent: rules about who may do what (`access`), and storage (`store`).

pub mod account;
pub mod actor;
pub mod auth_method;
pub mod group;
pub mod realm;
pub mod scope;
pub mod token;
pub mod username;
