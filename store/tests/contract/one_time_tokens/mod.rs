//! One-time tokens, and identities at upstream providers.

mod identities;
mod started;
mod tokens;
