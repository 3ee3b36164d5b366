//! TOTP (RFC 6238) with HMAC-SHA-1, six digits and steps of 30 s, which every authenticator app
//! supports.

use jiff::Timestamp;
use secrecy::SecretString;
use totp_rs::{Algorithm, Builder};

use crate::{AuthError, Username};

/// RFC 4226 §4, R6: as long as the output of the hash.
pub(crate) const SECRET_BYTES: usize = 20;
/// Seconds (RFC 6238 §5.2).
const STEP: u64 = 30;
/// Accepted steps before and after the current one, for slow typing and clock skew.
const SKEW: u16 = 1;

pub(crate) struct Totp(totp_rs::Totp);

impl Totp {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(builder(secret).build_noncompliant())
    }

    /// The time step of `code`, if it is one of the three accepted ones.
    pub(crate) fn matching_step(&self, code: &str, now: Timestamp) -> Option<i64> {
        let step = self.0.check(code, u64::try_from(now.as_second()).ok()?)?;
        i64::try_from(step).ok()
    }
}

fn builder(secret: &[u8]) -> Builder {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(SKEW)
        .with_step_duration(STEP)
        .with_secret(secret.to_vec())
}

/// The base32 secret for manual entry, and the `otpauth://…` URI for the QR code.
pub(crate) fn otpauth_uri(
    secret: &[u8],
    issuer: &str,
    username: &Username,
) -> Result<(SecretString, SecretString), AuthError> {
    let failed = |_| AuthError::Internal("otpauth URI could not be created");
    let totp = builder(secret)
        .with_issuer(Some(issuer))
        .with_account_name(username.as_str())
        .build()
        .map_err(failed)?;
    let uri = totp.to_url().map_err(failed)?;
    Ok((totp.secret().to_base32().into(), uri.into()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The last six of the eight digits of RFC 6238, Appendix B, SHA-1.
    #[test]
    fn totp_codes_match_rfc_6238_vectors() {
        let totp = Totp::new(b"12345678901234567890");
        let vectors = [
            (59, "94287082", 0x1),
            (1_111_111_109, "07081804", 0x0235_23ec),
            (1_111_111_111, "14050471", 0x0235_23ed),
            (1_234_567_890, "89005924", 0x0273_ef07),
            (2_000_000_000, "69279037", 0x03f9_40aa),
            (20_000_000_000, "65353130", 0x27bc_86aa),
        ];
        for (second, code, step) in vectors {
            assert_eq!(
                totp.matching_step(&code[2..], at(second)),
                Some(step),
                "{second}"
            );
        }
    }

    #[test]
    fn totp_code_is_valid_within_one_time_step() {
        let totp = Totp::new(b"12345678901234567890");
        for (second, taken) in [
            (0, true),
            (30, true),
            (60, true),
            (89, true),
            (90, false),
            (1_000, false),
        ] {
            assert_eq!(
                totp.matching_step("287082", at(second)).is_some(),
                taken,
                "{second}"
            );
        }
        for broken in [
            "", "28708", "2870820", "94287082", "+87082", "28708２", "abcdef",
        ] {
            assert_eq!(totp.matching_step(broken, at(59)), None, "{broken}");
        }
    }

    #[test]
    fn otpauth_uri_contains_secret_account_and_issuer() {
        let username = Username::parse("ada+x@example.org").unwrap();
        let (secret, uri) = otpauth_uri(
            b"12345678901234567890",
            "Strongroom (files.example.org)",
            &username,
        )
        .unwrap();
        assert_eq!(secret.expose_secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = uri.expose_secret();
        assert!(
            uri.starts_with("otpauth://totp/Strongroom%20%28files.example.org%29:"),
            "{uri}"
        );
        assert!(
            uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
                && uri.contains("issuer=Strongroom"),
            "{uri}"
        );
    }
}
