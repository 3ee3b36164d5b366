//! Opaque tokens: random secrets with a prefix and a checksum, stored only as a hash.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};

use crate::SecureRandom;

/// The use of a token. The prefix lets secret scanners find it, and prevents use as another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Refresh,
    /// The web session's cookie.
    Cookie,
    /// The link that creates the first administrator.
    Setup,
    /// A ticket for one WebSocket or event stream.
    Ticket,
    /// A personal access token.
    Personal,
    /// A link that sets a new password.
    Reset,
    /// An invitation.
    Invitation,
    /// A link that confirms an e-mail address.
    EmailLink,
    /// A device code (RFC 8628).
    DeviceCode,
    /// An authorization code (RFC 6749 §4.1.2).
    AuthorizationCode,
    /// A flow of several requests: a pending second factor, a passkey ceremony, a sign-in at a
    /// provider.
    Flow,
    /// A browser that has signed in before.
    KnownDevice,
}

impl TokenKind {
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "sr_rt_",
            Self::Cookie => "sr_ws_",
            Self::Setup => "sr_first_",
            Self::Ticket => "sr_tk_",
            Self::Personal => "sr_pat_",
            Self::Reset => "sr_rs_",
            Self::Invitation => "sr_in_",
            Self::EmailLink => "sr_em_",
            Self::DeviceCode => "sr_dc_",
            Self::AuthorizationCode => "sr_ac_",
            Self::Flow => "sr_pn_",
            Self::KnownDevice => "sr_dv_",
        }
    }
}

/// A token in plain text. Cannot print.
pub struct Token(String);

/// SHA-256 of a [`Token`] in hex, the only stored form. 256 random bits need neither salt nor
/// stretching.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(String);

/// Length of the checksum in base64url characters: 24 bits. It distinguishes typing errors from
/// guessing.
const CHECKSUM_LENGTH: usize = 4;

impl Token {
    /// Generates a token with 256 random bits.
    #[must_use]
    pub fn random(kind: TokenKind, rng: &SecureRandom) -> Self {
        let body = format!("{}{}", kind.prefix(), BASE64URL.encode(rng.bytes::<32>()));
        let check = checksum(&body);
        Self(body + &check)
    }

    /// Parses a token from a request; `None` unless prefix, length and checksum are correct.
    #[must_use]
    pub fn parse(kind: TokenKind, raw: &str) -> Option<Self> {
        let length = kind.prefix().len() + 43 + CHECKSUM_LENGTH;
        if raw.len() != length || !raw.is_ascii() || !raw.starts_with(kind.prefix()) {
            return None;
        }
        let (body, check) = raw.split_at(length - CHECKSUM_LENGTH);
        (checksum(body) == check).then(|| Self(raw.to_owned()))
    }

    /// The plain text, to be sent to the client.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(hex::encode(digest(&SHA256, self.0.as_bytes())))
    }
}

fn checksum(body: &str) -> String {
    BASE64URL.encode(&digest(&SHA256, body.as_bytes()).as_ref()[..3])
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl TokenHash {
    /// Wraps a stored hash, without validation.
    #[must_use]
    pub fn new(hex: &str) -> Self {
        Self(hex.to_owned())
    }

    /// Hashes a value that is not a token but is looked up like one.
    #[must_use]
    pub fn of(what: &[u8]) -> Self {
        Self(hex::encode(digest(&SHA256, what)))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_parses_only_unchanged_and_as_its_kind() {
        let token = Token::random(TokenKind::Refresh, &SecureRandom::system());
        assert!(Token::parse(TokenKind::Refresh, token.expose()).is_some());
        assert!(Token::parse(TokenKind::Cookie, token.expose()).is_none());
        let mut forged = token.expose().to_owned();
        forged.replace_range(10..11, if &forged[10..11] == "A" { "B" } else { "A" });
        assert!(Token::parse(TokenKind::Refresh, &forged).is_none());
        assert!(Token::parse(TokenKind::Refresh, "sr_rt_é").is_none());
    }

    #[test]
    fn token_and_token_hash_are_not_printed() {
        let token = Token::random(TokenKind::Cookie, &SecureRandom::system());
        assert_eq!(
            format!("{token:?} {:?}", token.hash()),
            "Token(…) TokenHash(…)"
        );
    }
}
