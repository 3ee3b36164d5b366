//! The master key: random, made on first start in a 0600 file, or handed in as `SECRET_KEY`. Purposes are parted
//! from it by HKDF-SHA-256 (RFC 5869).

/// At least 32 bytes. Cannot print.
pub struct MasterKey(secrecy::SecretSlice<u8>);

#[derive(Debug, thiserror::Error)]
pub enum BadKey {
    #[error("too short")]
    TooShort,
    #[error("well known")]
    WellKnown,
    #[error("the key file {path}: {source}")]
    File { path: String, source: std::io::Error },
}

impl MasterKey {
    /// Refuses short and well-known ones; the error says how to make a good one.
    pub fn parse(raw: &str) -> Result<Self, BadKey> {
        todo!()
    }
    /// Reads `path`, or makes it (0600, fsynced) with 32 random bytes.
    pub fn load_or_make(path: &std::path::Path, chance: &crate::Chance) -> Result<Self, BadKey> {
        todo!()
    }
}
