//! Identities of upstream OIDC providers that are linked to the caller's account.

pub mod link;
pub mod list;
pub mod unlink;
