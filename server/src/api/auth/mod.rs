//! Sign-in, and the caller's own account, tokens and sessions.

pub mod authorize;
pub mod confirm_email;
pub mod device;
pub mod factors;
pub mod identities;
pub mod introspect;
pub mod invites;
pub mod logout;
pub mod me;
pub mod metadata;
pub mod passkeys;
pub mod password;
pub mod password_reset;
pub mod profile;
pub mod recovery_codes;
pub mod register;
pub mod revoke;
pub mod send_email_link;
pub mod sessions;
pub mod step_up;
pub mod ticket;
pub mod token;
pub mod tokens;
pub mod totp;
