//! Slips: what is kept between two requests of one procedure and good for one use (reset links, invitations,
//! authorization codes, passkey ceremonies, sign-ins that wait for their second factor). Found by a hash, never by
//! what was handed out.

use jiff::Timestamp;

use super::{Answer, absent};
use crate::{TokenHash, Username};

/// Slips of one kind open nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlipKind {
    /// A password that may be set anew.
    Reset,
    /// An account that may be made.
    Invite,
    /// An e-mail address that may be confirmed.
    EmailLink,
    /// A sign-in that waits for its second factor.
    SecondFactor,
    /// A passkey ceremony (`WebAuthn` §7) under way.
    Ceremony,
    /// A TOTP secret that was shown and not yet proved.
    Enrolment,
    /// An authorization code (RFC 6749 §4.1.2).
    Code,
    /// A device code (RFC 8628 §3.2), and the user code that leads to it.
    DeviceCode,
    UserCode,
    /// A sign-in at an upstream provider that has come to its end: it comes to one once.
    Upstream,
}

impl SlipKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Invite => "invite",
            Self::EmailLink => "email_link",
            Self::SecondFactor => "second_factor",
            Self::Ceremony => "ceremony",
            Self::Enrolment => "enrolment",
            Self::Code => "code",
            Self::DeviceCode => "device_code",
            Self::UserCode => "user_code",
            Self::Upstream => "upstream",
        }
    }
}

/// `body` is the procedure's own, mostly JSON; no secret in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    pub kind: SlipKind,
    pub hash: TokenHash,
    /// Whose it is, where it is somebody's.
    pub username: Option<Username>,
    pub body: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// An expired slip is as good as none.
#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait SlipStore: Clone + Send + Sync + 'static {
    fn keep_slip(&self, slip: Slip) -> impl Future<Output = Answer<()>> + Send {
        absent()
    }
    /// Marks something as used: of any number of parallel calls with one kind and hash, one hears true and its slip is
    /// kept.
    fn keep_first_slip(&self, slip: Slip) -> impl Future<Output = Answer<bool>> + Send {
        absent()
    }
    /// Looks without taking.
    fn slip(
        &self,
        kind: SlipKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> impl Future<Output = Answer<Option<Slip>>> + Send {
        absent()
    }
    /// Of any number of parallel calls, one gets it.
    fn take_slip(
        &self,
        kind: SlipKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> impl Future<Output = Answer<Option<Slip>>> + Send {
        absent()
    }
    /// Compare-and-swap of the body: false if it is not `slip.body` any more, or the slip is gone.
    fn revise_slip(
        &self,
        slip: &Slip,
        body: String,
        at: Timestamp,
    ) -> impl Future<Output = Answer<bool>> + Send {
        absent()
    }
    /// Somebody's, or (`None`) everybody's, newest first; at most 10,000.
    fn slips(
        &self,
        kind: SlipKind,
        of: Option<&Username>,
        at: Timestamp,
    ) -> impl Future<Output = Answer<Vec<Slip>>> + Send {
        absent()
    }
    /// Forgets at most so many that expired before; says how many.
    fn forget_slips(&self, before: Timestamp) -> impl Future<Output = Answer<u64>> + Send {
        std::future::ready(Ok(0))
    }
    /// Takes all of somebody's away; says how many.
    fn drop_slips(
        &self,
        kind: SlipKind,
        of: &Username,
    ) -> impl Future<Output = Answer<u64>> + Send {
        absent()
    }
}
