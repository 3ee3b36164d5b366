//! Secrets: given as values, or in files.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::ConfigError;

/// Characters. A shorter token could be guessed.
const MIN_METRICS_TOKEN_LENGTH: usize = 32;

/// The value itself, or the content of its file.
pub(super) fn read_secret(
    value: Option<SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, ConfigError> {
    match (value, file) {
        (Some(_), Some(path)) => Err(ConfigError(format!(
            "a secret is given twice, as a value and as the file {}",
            path.display()
        ))),
        (Some(value), None) if value.expose_secret().is_empty() => Ok(None),
        (Some(value), None) => Ok(Some(value)),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned().into()))
        }
        (None, None) => Ok(None),
    }
}

/// Requires a token that a client can send (RFC 6750 §2.1) and an attacker cannot guess.
pub(super) fn metrics_token(
    token: Option<SecretString>,
) -> Result<Option<SecretString>, ConfigError> {
    let is_sound = |token: &SecretString| {
        let token = token.expose_secret();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        token.len() >= MIN_METRICS_TOKEN_LENGTH && token.bytes().all(is_plain)
    };
    match token {
        Some(token) if !is_sound(&token) => Err(ConfigError(
            "metrics_token must have at least 32 characters, from letters, digits and -._~+/= only: \
             `openssl rand -hex 32` prints one."
                .to_owned(),
        )),
        token => Ok(token),
    }
}
