//! Setting up an authenticator app.

pub mod begin;
pub mod confirm;
