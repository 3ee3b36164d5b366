//! Sessions: creation, authentication of requests, and sign-out.
//!
//! `create` is the only place that starts a session. `authenticate` answers requests from `cache`.

pub(crate) mod authenticate;
pub mod cache;
pub mod client_info;
pub(crate) mod create;
pub mod mfa_challenge;
pub mod model;
pub mod sign_in;
pub mod step_up;
