//! Key management: the master key and the keys that HKDF (RFC 5869) derives from it, the ring of
//! signing keys, and encryption of stored secrets (AES-256-GCM).

pub(crate) mod file;
pub(crate) mod maintenance;
pub mod master;
pub(crate) mod rewrap;
pub mod ring;
pub mod rotation;
pub mod seal;
pub(crate) mod signing;
pub(crate) mod stored_key;
