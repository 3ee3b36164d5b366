//! Recovery codes: single-use codes for when an authenticator app is lost.

pub mod create;
