//! Enrollment of an authenticator app (TOTP, RFC 6238).

pub mod confirm;
pub mod start;
