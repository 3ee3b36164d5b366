//! `[keys]`: the signing algorithm of access tokens and the key rotation.

use std::time::Duration;

use auth::{SigningAlgorithm, keys::ring::KeyRules};
use serde::Deserialize;

use super::ConfigError;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysSection {
    /// `HS256` or `EdDSA`. If absent, the algorithm of the present key stays.
    pub algorithm: Option<Algorithm>,
    /// Days after which a new signing key replaces the old one.
    pub rotate_days: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    #[serde(rename = "HS256")]
    Hs256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl KeysSection {
    pub(super) fn resolve(self) -> Result<KeyRules, ConfigError> {
        let days = self.rotate_days.unwrap_or(90);
        if !(1..=365).contains(&days) {
            return Err(ConfigError(
                "keys.rotate_days must be between 1 and 365.".to_owned(),
            ));
        }
        let algorithm = self.algorithm.map(|algorithm| match algorithm {
            Algorithm::Hs256 => SigningAlgorithm::Hs256,
            Algorithm::EdDsa => SigningAlgorithm::EdDsa,
        });
        Ok(KeyRules {
            algorithm,
            rotate_after: Duration::from_hours(24) * days,
        })
    }
}
