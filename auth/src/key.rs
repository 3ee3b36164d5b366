//! The master key: random, made on first start in a 0600 file, or handed in as `SECRET_KEY`. Purposes are parted
//! from it by HKDF-SHA-256 (RFC 5869), so that what signs tokens says nothing about any other key.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::Path,
};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use secrecy::{ExposeSecret, SecretSlice};

use crate::AuthError;

/// At least 32 bytes. Cannot print.
pub struct MasterKey(SecretSlice<u8>);

#[derive(Debug, thiserror::Error)]
pub enum BadKey {
    #[error(
        "The secret key is shorter than 32 bytes. Make a good one with `openssl rand -base64 48`, or delete the \
         setting to have one made."
    )]
    TooShort,
    #[error(
        "The secret key is well known or easily guessed. Make a good one with `openssl rand -base64 48`, or delete \
         the setting to have one made."
    )]
    WellKnown,
    #[error("The key file {path}: {source}")]
    File { path: String, source: io::Error },
}

/// What a part of the master key is for: the `info` of HKDF. A label never changes its meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Signs access tokens.
    AccessToken,
    /// Names the key that signs access tokens (`kid`): may be read by anybody.
    AccessTokenName,
    /// Encrypts the key ring.
    Ring,
    /// Encrypts the secrets of second factors.
    Factors,
    /// Encrypts what is kept of sign-ins at upstream providers.
    Upstream,
    /// Keys the passwords before they are hashed.
    Pepper,
    /// Names the key of passwords: stands beside every hash.
    PepperName,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::AccessToken => b"strongroom/access-token/hs256/v1",
            Self::AccessTokenName => b"strongroom/access-token/kid/v1",
            Self::Ring => b"strongroom/key-ring/aes-256-gcm/v1",
            Self::Factors => b"strongroom/factors/aes-256-gcm/v1",
            Self::Upstream => b"strongroom/upstream/aes-256-gcm/v1",
            Self::Pepper => b"strongroom/pepper/hmac-sha256/v1",
            Self::PepperName => b"strongroom/pepper/id/v1",
        }
    }
}

/// 256 bits, as HKDF wants to be told.
struct Bits256;

impl KeyType for Bits256 {
    fn len(&self) -> usize {
        32
    }
}

impl MasterKey {
    /// Takes a key as somebody set it; white space around it does not count.
    ///
    /// # Errors
    /// [`BadKey::TooShort`] and [`BadKey::WellKnown`] say how to make a good one.
    pub fn parse(raw: &str) -> Result<Self, BadKey> {
        let raw = raw.trim();
        // Before the length: whoever pads a well-known key should hear what is wrong with it.
        if is_well_known(raw) {
            return Err(BadKey::WellKnown);
        }
        if raw.len() < 32 {
            return Err(BadKey::TooShort);
        }
        Ok(Self(raw.as_bytes().to_vec().into()))
    }

    /// Reads `path`, or makes it (0600, fsynced) with 32 random bytes.
    ///
    /// # Errors
    /// [`BadKey::File`] also for a file that others may read and for an empty one (a start that was cut off).
    pub fn load_or_make(path: &Path, chance: &crate::Chance) -> Result<Self, BadKey> {
        let bad = |source| BadKey::File { path: path.display().to_string(), source };
        match make(path, chance) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(bad(error)),
        }
        Self::parse(&read(path).map_err(bad)?)
    }

    pub(crate) fn part(&self, purpose: Purpose) -> Result<[u8; 32], AuthError> {
        let mut out = [0; 32];
        Salt::new(HKDF_SHA256, b"strongroom")
            .extract(self.0.expose_secret())
            .expand(&[purpose.label()], Bits256)
            .and_then(|okm| okm.fill(&mut out))
            .map_err(|_| AuthError::Internal("HKDF failed"))?;
        Ok(out)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Fails with `AlreadyExists` where there is a file: two starts at once then agree on one key.
fn make(path: &Path, chance: &crate::Chance) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all((BASE64URL.encode(chance.bytes::<32>()) + "\n").as_bytes())?;
    file.sync_all()?;
    // The name is durable only once the folder is.
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
        _ => sync_folder(Path::new(".")),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn read(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    refuse_readable_by_others(&file)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if text.trim().is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is empty: delete it, and a key is made on the next start",
        ));
    }
    Ok(text)
}

#[cfg(unix)]
fn refuse_readable_by_others(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let others = file.metadata()?.permissions().mode() & 0o077;
    if others == 0 {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may read it: make it private with `chmod 600`"))
}

#[cfg(not(unix))]
fn refuse_readable_by_others(_: &File) -> io::Result<()> {
    Ok(())
}

/// Keys that stand in tutorials and templates, lower case, longer ones before what they contain.
const WELL_KNOWN: [&str; 22] = [
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "a_super_secret_dev_key",
    "super_secret",
    "supersecret",
    "super-secret",
    "secret_key",
    "secret-key",
    "secretkey",
    "change_me",
    "change-me",
    "changeme",
    "changeit",
    "change this",
    "password",
    "strongroom",
    "insecure",
    "default",
    "example",
    "django",
    "your",
    "secret",
    "dev_key",
];

/// Whether the key is guessed by whoever has seen a tutorial: a known word padded out, or hardly any variety.
fn is_well_known(raw: &str) -> bool {
    let mut rest = raw.to_ascii_lowercase();
    for word in WELL_KNOWN {
        rest = rest.replace(word, "");
    }
    let padded_word = rest.len() < raw.len() && (rest.len() < 32 || is_monotonous(&rest));
    padded_word || (raw.len() >= 8 && is_monotonous(raw))
}

/// Few different characters, one pattern over and over, or mostly the next or the same character
/// (`abcdefgh…`, `1111…`). Random text of 32 characters and more is none of these.
fn is_monotonous(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let different = bytes.iter().collect::<std::collections::HashSet<_>>().len();
    let repeats = (1..=bytes.len() / 2).any(|period| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b));
    let steps = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    (raw.len() >= 32 && different < 8) || repeats || steps * 2 > bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chance;

    #[test]
    fn well_known_keys_are_refused_at_any_length() {
        let known = [
            "a_super_secret_dev_key",
            "A_SUPER_SECRET_DEV_KEY",
            "a_super_secret_dev_key_a_super_secret_dev_key",
            "a_super_secret_dev_key0000000000000000000000000000000000",
            "secret",
            "changeme",
            "changemechangemechangemechangemechangeme",
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            "your-secret-key-your-secret-key-your-secret-key",
            "0000000000000000000000000000000000000000",
            "abcabcabcabcabcabcabcabcabcabcabcabcabc",
            "0123456789012345678901234567890123456789",
            "abcdefghijklmnopqrstuvwxyz0123456789",
        ];
        for raw in known {
            assert!(matches!(MasterKey::parse(raw), Err(BadKey::WellKnown)), "{raw}");
        }
    }

    #[test]
    fn a_short_key_is_refused_with_a_way_out() {
        let error = MasterKey::parse("q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0P").unwrap_err();
        assert!(matches!(error, BadKey::TooShort));
        assert!(error.to_string().contains("openssl rand -base64 48"));
    }

    #[test]
    fn random_keys_are_taken_in_base64_and_in_hex() {
        let chance = Chance::system();
        for _ in 0..500 {
            MasterKey::parse(&BASE64URL.encode(chance.bytes::<32>())).unwrap();
            MasterKey::parse(&hex::encode(chance.bytes::<32>())).unwrap();
            MasterKey::parse(&hex::encode(chance.bytes::<16>())).unwrap();
        }
    }

    #[test]
    fn purposes_share_nothing_and_stay_the_same() {
        let key = MasterKey::parse("q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa").unwrap();
        let again = MasterKey::parse(" q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa\n").unwrap();
        let part = |key: &MasterKey, purpose| key.part(purpose).unwrap();
        assert_eq!(part(&key, Purpose::AccessToken), part(&again, Purpose::AccessToken));
        assert_ne!(part(&key, Purpose::AccessToken), part(&key, Purpose::AccessTokenName));
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
    }

    fn folder() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(hex::encode(Chance::system().bytes::<8>()));
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let path = folder().join("key");
        let first = MasterKey::load_or_make(&path, &Chance::system()).unwrap();
        let second = MasterKey::load_or_make(&path, &Chance::system()).unwrap();
        assert_eq!(first.0.expose_secret(), second.0.expose_secret());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_private_or_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder().join("key");
        MasterKey::load_or_make(&path, &Chance::system()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = MasterKey::load_or_make(&path, &Chance::system()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn an_empty_key_file_is_refused() {
        let path = folder().join("key");
        MasterKey::load_or_make(&path, &Chance::system()).unwrap();
        OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
        let error = MasterKey::load_or_make(&path, &Chance::system()).unwrap_err();
        assert!(error.to_string().contains("empty"), "{error}");
    }
}
