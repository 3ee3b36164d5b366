//! OAuth 2: the token endpoint's grants, refresh rotation, introspection, consent, device flow,
//! clients and personal access tokens (RFC 6749, 7009, 7636, 7662, 8628, 9068).
//!
//! Deliberately absent: HTTP forms and status codes; the host parses and answers them.

pub(crate) mod access_token;
pub(crate) mod authorization_code;
pub mod client;
pub(crate) mod consent;
pub(crate) mod device;
pub mod introspection;
pub(crate) mod personal_token;
mod pkce;
mod refresh;
mod revocation;
pub mod token;
