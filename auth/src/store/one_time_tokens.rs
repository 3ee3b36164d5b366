//! Slips: what is kept between two requests of one procedure and good for one use (reset links, invitations,
//! authorization codes, passkey ceremonies, sign-ins that wait for their second factor). Found by a hash, never by
//! what was handed out.

use jiff::Timestamp;

use super::{StoreResult, unsupported};
use crate::{TokenHash, Username};

/// Slips of one kind open nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OneTimeKind {
    /// A password that may be set anew.
    Reset,
    /// An account that may be made.
    Invitation,
    /// An e-mail address that may be confirmed.
    EmailLink,
    /// A sign-in that waits for its second factor.
    SecondFactor,
    /// A passkey ceremony (`WebAuthn` §7) under way.
    Ceremony,
    /// A TOTP secret that was shown and not yet proved.
    Enrollment,
    /// An authorization code (RFC 6749 §4.1.2).
    AuthorizationCode,
    /// A device code (RFC 8628 §3.2), and the user code that leads to it.
    DeviceCode,
    UserCode,
    /// A sign-in at an upstream provider that has come to its end: it comes to one once.
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

/// `body` is the procedure's own, mostly JSON; no secret in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeToken {
    pub kind: OneTimeKind,
    pub hash: TokenHash,
    /// Whose it is, where it is somebody's.
    pub username: Option<Username>,
    pub body: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// An expired slip is as good as none.
#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait OneTimeTokenStore: Clone + Send + Sync + 'static {
    fn insert_token(&self, one_time: OneTimeToken) -> impl Future<Output = StoreResult<()>> + Send {
        unsupported()
    }
    /// Marks something as used: of any number of parallel calls with one kind and hash, one hears true and its slip is
    /// kept.
    fn insert_token_if_absent(
        &self,
        one_time: OneTimeToken,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Looks without taking.
    fn find_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<OneTimeToken>>> + Send {
        unsupported()
    }
    /// Of any number of parallel calls, one gets it.
    fn consume_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<OneTimeToken>>> + Send {
        unsupported()
    }
    /// Compare-and-swap of the body: false if it is not `slip.body` any more, or the slip is gone.
    fn compare_and_swap_token(
        &self,
        one_time: &OneTimeToken,
        body: String,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Somebody's, or (`None`) everybody's, newest first; at most 10,000.
    fn list_tokens(
        &self,
        kind: OneTimeKind,
        of: Option<&Username>,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Vec<OneTimeToken>>> + Send {
        unsupported()
    }
    /// Forgets at most so many that expired before; says how many.
    fn purge_expired_tokens(
        &self,
        before: Timestamp,
    ) -> impl Future<Output = StoreResult<u64>> + Send {
        std::future::ready(Ok(0))
    }
    /// Takes all of somebody's away; says how many.
    fn delete_tokens(
        &self,
        kind: OneTimeKind,
        of: &Username,
    ) -> impl Future<Output = StoreResult<u64>> + Send {
        unsupported()
    }
}
