//! One-time tokens: stored state between two requests of one flow, valid for one use (reset links,
//! invitations, authorization codes, passkey ceremonies, pending sign-ins). The key is a hash of
//! the token; the token is not stored.

use jiff::Timestamp;

use super::{StoreResult, unsupported};
use crate::{TokenHash, Username};

/// The flow of a token. Tokens of one kind are not valid for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OneTimeKind {
    /// A password reset.
    Reset,
    /// An invitation.
    Invitation,
    /// The confirmation of an e-mail address.
    EmailLink,
    /// A sign-in that waits for its second factor.
    SecondFactor,
    /// A passkey ceremony (`WebAuthn` §7).
    Ceremony,
    /// A TOTP secret that is not yet confirmed.
    Enrollment,
    /// An authorization code (RFC 6749 §4.1.2).
    AuthorizationCode,
    /// A device code (RFC 8628 §3.2), or the user code that refers to it.
    DeviceCode,
    UserCode,
    /// A completed login at an upstream provider, against replay.
    Upstream,
}

impl OneTimeKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Invitation => "invite",
            Self::EmailLink => "email_link",
            Self::SecondFactor => "second_factor",
            Self::Ceremony => "ceremony",
            Self::Enrollment => "enrolment",
            Self::AuthorizationCode => "code",
            Self::DeviceCode => "device_code",
            Self::UserCode => "user_code",
            Self::Upstream => "upstream",
        }
    }
}

/// `body` belongs to the flow, mostly JSON. It contains no plain-text secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeToken {
    pub kind: OneTimeKind,
    pub hash: TokenHash,
    /// The owner, if the flow has one.
    pub username: Option<Username>,
    pub body: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Expired tokens are treated as absent.
#[expect(unused_variables, reason = "the default implementation stores nothing")]
pub trait OneTimeTokenStore: Clone + Send + Sync + 'static {
    fn insert_token(&self, one_time: OneTimeToken) -> impl Future<Output = StoreResult<()>> + Send {
        unsupported()
    }
    /// Stores a replay marker: of any number of parallel calls with one kind and hash, one returns
    /// true.
    fn insert_token_if_absent(
        &self,
        one_time: OneTimeToken,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Reads the token without consuming it.
    fn find_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<OneTimeToken>>> + Send {
        unsupported()
    }
    /// Consumes the token. Of any number of parallel calls, one receives it.
    fn consume_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<OneTimeToken>>> + Send {
        unsupported()
    }
    /// Compare-and-swap of the body: false if it differs from `one_time.body`, or if the token is
    /// gone.
    fn compare_and_swap_token(
        &self,
        one_time: &OneTimeToken,
        body: String,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Tokens of one account, or of all (`None`), newest first, at most 10,000.
    fn list_tokens(
        &self,
        kind: OneTimeKind,
        of: Option<&Username>,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Vec<OneTimeToken>>> + Send {
        unsupported()
    }
    /// Deletes at most `limit` tokens that expired before the given time. Returns their number.
    fn purge_expired_tokens(
        &self,
        before: Timestamp,
    ) -> impl Future<Output = StoreResult<u64>> + Send {
        std::future::ready(Ok(0))
    }
    /// Deletes all tokens of an account. Returns their number.
    fn delete_tokens(
        &self,
        kind: OneTimeKind,
        of: &Username,
    ) -> impl Future<Output = StoreResult<u64>> + Send {
        unsupported()
    }
}
