//! Encryption of stored secrets (TOTP secrets, signing keys): AES-256-GCM (NIST SP 800-38D) under a
//! key derived from the master key. The AAD binds each value to its row. A copy of the database
//! decrypts none of them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::{
    AuthError, SecureRandom,
    keys::master::{MasterKey, Purpose},
};

/// Separates the master key's id from the sealed value.
const ID_SEPARATOR: char = '.';

/// Authenticated encryption for one purpose (AEAD, RFC 5116).
pub(crate) struct Sealer {
    key: LessSafeKey,
    /// The id of the master key.
    key_id: String,
}

/// The id of the master key that sealed the value; `None` for values from before ids were stored.
#[must_use]
pub fn key_id_of(sealed: &str) -> Option<&str> {
    sealed.split_once(ID_SEPARATOR).map(|(name, _)| name)
}

impl Sealer {
    pub(crate) fn new(master_key: &MasterKey, purpose: Purpose) -> Result<Self, AuthError> {
        let key = UnboundKey::new(&AES_256_GCM, &master_key.derive_key(purpose)?);
        let key = key.map_err(|_| AuthError::Internal("the AES key has a wrong length"))?;
        Ok(Self {
            key: LessSafeKey::new(key),
            key_id: master_key.id()?,
        })
    }

    /// Returns the master key's id, and base64url of nonce, ciphertext and tag. `open` needs the
    /// same `aad` (the row's key), so that a sealed value cannot be moved to another row.
    pub(crate) fn seal(
        &self,
        secret: &[u8],
        aad: &str,
        rng: &SecureRandom,
    ) -> Result<String, AuthError> {
        let nonce = rng.bytes::<NONCE_LEN>();
        let mut sealed = secret.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                &mut sealed,
            )
            .map_err(|_| AuthError::Internal("encrypting a secret failed"))?;
        Ok(format!(
            "{}{ID_SEPARATOR}{}",
            self.key_id,
            BASE64URL.encode([&nonce[..], &sealed].concat())
        ))
    }

    /// # Errors
    /// [`AuthError::Internal`] for a value of another key or row, or a changed one.
    pub(crate) fn open(&self, sealed: &str, aad: &str) -> Result<SecretSlice<u8>, AuthError> {
        let broken = AuthError::Internal(
            "a sealed secret cannot be decrypted: another master key, or a changed row",
        );
        let Ok(bytes) = BASE64URL.decode(sealed.rsplit(ID_SEPARATOR).next().unwrap_or_default())
        else {
            return Err(broken);
        };
        let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE_LEN>() else {
            return Err(broken);
        };
        let mut plain = SecretSlice::from(sealed.to_vec()).expose_secret().to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        match self.key.open_in_place(nonce, Aad::from(aad), &mut plain) {
            Ok(opened) => Ok(opened.to_vec().into()),
            Err(_) => Err(broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(purpose: Purpose) -> Sealer {
        Sealer::new(
            &MasterKey::parse("q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa").unwrap(),
            purpose,
        )
        .unwrap()
    }

    #[test]
    fn sealed_secret_opens_for_its_purpose_and_row() {
        let (factors, rng) = (sealer(Purpose::Factors), SecureRandom::system());
        let sealed = factors.seal(b"seed", "ada/totp", &rng).unwrap();
        assert_eq!(
            factors.open(&sealed, "ada/totp").unwrap().expose_secret(),
            b"seed"
        );
        let is_broken = |opened: Result<SecretSlice<u8>, AuthError>| {
            matches!(opened.map(drop), Err(AuthError::Internal(_)))
        };
        assert!(is_broken(factors.open(&sealed, "bob/totp")));
        assert!(is_broken(
            sealer(Purpose::KeyRing).open(&sealed, "ada/totp")
        ));
        assert_ne!(factors.seal(b"seed", "ada/totp", &rng).unwrap(), sealed);
        let (name, sealed) = sealed.split_once('.').unwrap();
        let mut bytes = BASE64URL.decode(sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let changed = format!("{name}.{}", BASE64URL.encode(&bytes));
            assert!(is_broken(factors.open(&changed, "ada/totp")), "byte {at}");
            bytes[at] ^= 1;
        }
        // The format without key id.
        assert_eq!(
            factors.open(sealed, "ada/totp").unwrap().expose_secret(),
            b"seed"
        );
        for broken in ["", "A", "é", &sealed[..12]] {
            assert!(is_broken(factors.open(broken, "ada/totp")));
        }
    }
}
