//! What people are told by mail. This crate only says what there is to say: the host sends it, or doesn't.

mod strangers;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{
    Account, Actor, Auth, AuthError, AuthStore, EmailAddress, Origin, Token, Username,
    audit::{Deed, Record},
};

pub(crate) use strangers::{Strangers, TOMORROW};

/// Letters that wait for the host at most; more are dropped, and a warning says so.
pub(crate) const WAITING: usize = 1_000;

#[derive(Debug)]
pub struct Letter {
    pub to: EmailAddress,
    /// How the person is addressed: display name, or username; empty for an address that nobody has confirmed.
    pub name: String,
    pub body: LetterBody,
}

#[derive(Debug)]
pub enum LetterBody {
    /// A link that sets a new password of that account, once, until then.
    Reset {
        link: SecretString,
        username: Username,
        until: Timestamp,
    },
    /// An invitation by `from`, once, until then.
    Invite {
        link: SecretString,
        from: String,
        until: Timestamp,
    },
    /// A link that makes this address that account's, once, until then.
    ConfirmEmail {
        link: SecretString,
        username: Username,
        until: Timestamp,
    },
    /// A personal access token ends then.
    TokenEnds {
        label: String,
        username: Username,
        until: Timestamp,
    },
    /// Something happened to the account.
    Notice {
        notice: Notice,
        at: Timestamp,
        origin: Origin,
    },
}

/// What an account's owner hears of, by mail and on the security page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    PasswordChanged,
    PasswordReset,
    /// A refresh token was used twice; its session was ended.
    TokenReplayed,
    /// A sign-in on a device that was not seen before.
    NewDevice,
    /// A sign-in after many that were refused.
    InAfterRefusals,
    /// A sign-in after long without any.
    InAfterLong,
    /// The right password at a place that was not seen before, and no second factor so far.
    HalfWay,
    FactorAdded,
    FactorRemoved,
    /// A passkey's counter went back: somebody may have a copy.
    PasskeyCopied,
    RecoveryCodeUsed,
    RecoveryCodesMade,
    /// An administrator took all second factors away.
    FactorsRecovered,
    PersonalTokenMade,
    ProviderLinked,
    ProviderUnlinked,
    EmailChanged,
    /// Another address was asked for, and does not count yet.
    EmailAsked,
    /// An administrator made a link that sets a new password.
    ResetLinkMade,
    /// An administrator wants a new password.
    ResetRequired,
}

impl Notice {
    /// What the audit calls it; `None` where the store records it with the change itself.
    #[must_use]
    pub fn deed(self) -> Option<Deed> {
        match self {
            Self::TokenReplayed => Some(Deed::RefreshReplayed),
            Self::PasskeyCopied => Some(Deed::PasskeyCopied),
            Self::PasswordChanged
            | Self::PasswordReset
            | Self::NewDevice
            | Self::InAfterRefusals
            | Self::InAfterLong
            | Self::HalfWay
            | Self::FactorAdded
            | Self::FactorRemoved
            | Self::RecoveryCodeUsed
            | Self::RecoveryCodesMade
            | Self::FactorsRecovered
            | Self::PersonalTokenMade
            | Self::ProviderLinked
            | Self::ProviderUnlinked
            | Self::EmailChanged
            | Self::EmailAsked
            | Self::ResetLinkMade
            | Self::ResetRequired => None,
        }
    }
}

impl<S: AuthStore> Auth<S> {
    /// The letters to send: drop it to send none. There is one box: `None` for whoever asks a second time.
    pub fn letters(&self) -> Option<mpsc::Receiver<Letter>> {
        self.0
            .letters
            .1
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
    }

    /// A page of the installation with a secret behind the `#`, where no server and no log ever sees it. Built from the
    /// settings: what a request says of the host (`Host`, `X-Forwarded-Host`) never leads to a link.
    pub(crate) fn link(&self, page: &str, token: &Token) -> SecretString {
        format!("{}/{page}#{}", self.0.settings.issuer, token.expose()).into()
    }

    /// Never waits and never fails what it is told about.
    pub(crate) fn post(&self, letter: Letter) {
        match self.0.letters.0.try_send(letter) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => {
                tracing::debug!("a letter was dropped: this installation sends none")
            }
            Err(TrySendError::Full(_)) => {
                tracing::warn!("a letter was dropped: too many wait to be sent")
            }
        }
    }

    /// Puts it into the audit as the owner's own deed, and into a letter where the owner has an address.
    pub(crate) async fn tell(
        &self,
        owner: &Account,
        notice: Notice,
        from: &Origin,
    ) -> Result<(), AuthError> {
        self.tell_of(owner, notice, &Actor::owner(owner).coming_from(from))
            .await
    }

    /// As [`tell`](Self::tell), of what `by` did: the owner in a session, or an administrator.
    pub(crate) async fn tell_of(
        &self,
        owner: &Account,
        notice: Notice,
        by: &Actor,
    ) -> Result<(), AuthError> {
        if let Some(deed) = notice.deed() {
            self.record(Record::new(by, deed, self.0.clock.now()).about(owner.username.as_str()))
                .await?;
        }
        if let Some(from) = &by.from {
            self.notify(owner, notice, from);
        }
        Ok(())
    }

    /// The letter alone.
    pub(crate) fn notify(&self, owner: &Account, notice: Notice, from: &Origin) {
        let Some(to) = owner.email.clone() else {
            return;
        };
        if !self.may_write_to(owner) {
            tracing::warn!(username = %owner.username, "a letter was not sent: too many went to that address today");
            return;
        }
        let body = LetterBody::Notice {
            notice,
            at: self.0.clock.now(),
            origin: from.clone(),
        };
        self.post(Letter {
            to,
            name: greeted(owner),
            body,
        });
    }

    /// Whether the address of an account, which may be a stranger's as long as nobody has confirmed it, gets one more.
    pub(crate) fn may_write_to(&self, owner: &Account) -> bool {
        let Some(to) = &owner.email else { return false };
        owner.email_verified || self.0.strangers.may_write(to, self.0.clock.now())
    }

    pub(crate) fn sends_no_letters(&self) -> bool {
        self.0.letters.0.is_closed()
    }

    /// Appends what changes no rows, or was changed already.
    pub(crate) async fn record(&self, record: Record) -> Result<(), AuthError> {
        Ok(self.0.store.record(record).await?)
    }
}

/// By name where that is who reads it; a stranger is not told what somebody else calls themselves.
pub(crate) fn greeted(owner: &Account) -> String {
    if owner.email_verified {
        owner.calls_itself().to_owned()
    } else {
        String::new()
    }
}
