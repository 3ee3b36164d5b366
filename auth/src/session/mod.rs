//! Sessions: how one begins, how a request is matched to one, and how it ends.
//!
//! `create` is the one place where a session begins; `authenticate` answers every request from `cache`.

pub(crate) mod authenticate;
pub mod cache;
pub mod client_info;
pub(crate) mod create;
pub mod mfa_challenge;
pub mod model;
pub mod sign_in;
pub mod step_up;
