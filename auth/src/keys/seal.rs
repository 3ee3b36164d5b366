//! Secrets that have to be read again (TOTP seeds, signing keys) are kept encrypted: AES-256-GCM (NIST SP 800-38D)
//! under a key parted from the master key, bound to what they belong to. A copy of the database opens none of them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::{
    AuthError, SecureRandom,
    keys::master::{MasterKey, Purpose},
};

/// Stands between the master key's name and what is sealed under it.
const ID_SEPARATOR: char = '.';

/// Seals and opens for one purpose.
pub(crate) struct Sealer {
    key: LessSafeKey,
    /// Of the master key.
    key_id: String,
}

/// Which master key something was sealed under; `None` for what was sealed before it was written down.
#[must_use]
pub fn key_id_of(sealed: &str) -> Option<&str> {
    sealed.split_once(ID_SEPARATOR).map(|(name, _)| name)
}

impl Sealer {
    pub(crate) fn new(master_key: &MasterKey, purpose: Purpose) -> Result<Self, AuthError> {
        let key = UnboundKey::new(&AES_256_GCM, &master_key.derive_key(purpose)?);
        let key = key.map_err(|_| AuthError::Internal("an AES key of the wrong length"))?;
        Ok(Self {
            key: LessSafeKey::new(key),
            key_id: master_key.id()?,
        })
    }

    /// The master key's name, and base64url of nonce, ciphertext and tag. `bound_to` (the row's key) must be told again to open it, so that a
    /// sealed value cannot be moved to another row.
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
            .map_err(|_| AuthError::Internal("sealing a secret failed"))?;
        Ok(format!(
            "{}{ID_SEPARATOR}{}",
            self.key_id,
            BASE64URL.encode([&nonce[..], &sealed].concat())
        ))
    }

    /// # Errors
    /// [`AuthError::Internal`] for what another key sealed, for another row, or what was changed since.
    pub(crate) fn open(&self, sealed: &str, aad: &str) -> Result<SecretSlice<u8>, AuthError> {
        let broken = AuthError::Internal(
            "a sealed secret does not open: another master key, or a changed row",
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
        let (factors, chance) = (sealer(Purpose::Factors), SecureRandom::system());
        let sealed = factors.seal(b"seed", "ada/totp", &chance).unwrap();
        assert_eq!(
            factors.open(&sealed, "ada/totp").unwrap().expose_secret(),
            b"seed"
        );
        assert!(factors.open(&sealed, "bob/totp").is_err());
        assert!(sealer(Purpose::KeyRing).open(&sealed, "ada/totp").is_err());
        assert_ne!(factors.seal(b"seed", "ada/totp", &chance).unwrap(), sealed);
        let (name, sealed) = sealed.split_once('.').unwrap();
        let mut bytes = BASE64URL.decode(sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(
                factors
                    .open(&format!("{name}.{}", BASE64URL.encode(&bytes)), "ada/totp")
                    .is_err(),
                "byte {at}"
            );
            bytes[at] ^= 1;
        }
        // As it was before names stood there.
        assert_eq!(
            factors.open(sealed, "ada/totp").unwrap().expose_secret(),
            b"seed"
        );
        for broken in ["", "A", "é", &sealed[..12]] {
            assert!(factors.open(broken, "ada/totp").is_err());
        }
    }
}
