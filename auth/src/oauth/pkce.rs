//! Proof Key for Code Exchange (RFC 7636), with the method S256 only.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// Base64url of a SHA-256 hash (RFC 7636 §4.2).
#[derive(Clone, Debug)]
pub(super) struct CodeChallenge(String);

impl CodeChallenge {
    pub(super) fn parse(challenge: Option<&str>, method: Option<&str>) -> Option<Self> {
        // Without a method the challenge would be `plain` (RFC 7636 §4.3), which protects nothing
        // here.
        let challenge = challenge.filter(|_| method == Some("S256"))?;
        let decoded = BASE64URL.decode(challenge).ok()?;
        (decoded.len() == 32).then(|| Self(challenge.to_owned()))
    }

    /// RFC 7636 §4.1 and §4.6.
    pub(super) fn matches(&self, verifier: &SecretString) -> bool {
        let verifier = verifier.expose_secret();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(plain);
        let computed = BASE64URL.encode(digest(&SHA256, verifier.as_bytes()));
        well_formed && bool::from(computed.as_bytes().ct_eq(self.0.as_bytes()))
    }

    pub(super) fn from_stored(challenge: &str) -> Self {
        Self(challenge.to_owned())
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn pkce_challenge_matches_the_rfc_7636_example() {
        let challenge = CodeChallenge::parse(
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            Some("S256"),
        )
        .unwrap();
        assert!(challenge.matches(&"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into()));
        assert!(!challenge.matches(&"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl".into()));
    }

    #[test]
    fn pkce_verifier_has_43_to_128_unreserved_characters() {
        for (verifier, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            (" ".repeat(43), false),
            ("é".repeat(43), false),
        ] {
            let challenge = BASE64URL.encode(digest(&SHA256, verifier.as_bytes()));
            let challenge = CodeChallenge::parse(Some(&challenge), Some("S256")).unwrap();
            assert_eq!(
                challenge.matches(&verifier.clone().into()),
                good,
                "{verifier}"
            );
        }
    }

    #[test]
    fn pkce_challenge_other_than_s256_is_rejected() {
        let challenge = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        for (challenge, method) in [
            (challenge, None),
            (challenge, Some("plain")),
            (challenge, Some("s256")),
            (None, Some("S256")),
            (Some("short"), Some("S256")),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="),
                Some("S256"),
            ),
        ] {
            assert!(
                CodeChallenge::parse(challenge, method).is_none(),
                "{challenge:?} {method:?}"
            );
        }
    }
}
