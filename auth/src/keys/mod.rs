//! Key management: the master key and what HKDF (RFC 5869) derives from it, the ring of signing keys, and sealing
//! (AES-256-GCM) of what the database holds.

pub(crate) mod file;
pub(crate) mod maintenance;
pub mod master;
pub mod ring;
pub mod rotation;
pub mod seal;
pub(crate) mod signing;
