//! What people are told by mail. This crate only says what there is to say: the host sends it, or doesn't.

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{Account, Auth, AuthError, AuthStore, EmailAddress, Origin, Token, Username, store::Record};

/// Letters that wait for the host at most; more are dropped, and a warning says so.
pub(crate) const WAITING: usize = 1_000;

#[derive(Debug)]
pub struct Letter {
    pub to: EmailAddress,
    /// How the person is addressed: display name, or username.
    pub name: String,
    pub body: LetterBody,
}

#[derive(Debug)]
pub enum LetterBody {
    /// A link that sets a new password of that account, once, until then.
    Reset { link: SecretString, username: Username, until: Timestamp },
    /// An invitation by `from`, once, until then.
    Invite { link: SecretString, from: String, until: Timestamp },
    /// Something happened to the account.
    Notice { notice: Notice, at: Timestamp, origin: Origin },
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
    FactorAdded,
    FactorRemoved,
    RecoveryCodeUsed,
    RecoveryCodesMade,
    /// An administrator took all second factors away.
    FactorsRecovered,
    PersonalTokenMade,
    ProviderLinked,
    ProviderUnlinked,
    EmailChanged,
}

impl Notice {
    /// As it stands in the audit.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password.changed",
            Self::PasswordReset => "password.reset",
            Self::TokenReplayed => "refresh.replayed",
            Self::NewDevice => "sign_in.new_device",
            Self::FactorAdded => "factor.added",
            Self::FactorRemoved => "factor.removed",
            Self::RecoveryCodeUsed => "recovery_code.used",
            Self::RecoveryCodesMade => "recovery_codes.made",
            Self::FactorsRecovered => "factors.recovered",
            Self::PersonalTokenMade => "token.made",
            Self::ProviderLinked => "provider.linked",
            Self::ProviderUnlinked => "provider.unlinked",
            Self::EmailChanged => "email.changed",
        }
    }
}

impl<S: AuthStore> Auth<S> {
    /// The letters to send: drop it to send none. There is one box: `None` for whoever asks a second time.
    pub fn letters(&self) -> Option<mpsc::Receiver<Letter>> {
        self.0.letters.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
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
            Err(TrySendError::Closed(_)) => tracing::debug!("a letter was dropped: this installation sends none"),
            Err(TrySendError::Full(_)) => tracing::warn!("a letter was dropped: too many wait to be sent"),
        }
    }

    /// Puts it into the audit, and into a letter where the owner has an address.
    pub(crate) async fn tell(&self, owner: &Account, notice: Notice, from: &Origin) -> Result<(), AuthError> {
        let at = self.0.clock.now();
        let detail = serde_json::json!({ "address": from.address.to_string(), "user_agent": from.user_agent });
        let name = owner.username.as_str().to_owned();
        self.0.store.record(Record { actor: name.clone(), action: notice.as_str(), subject: name, detail, at }).await?;
        if let Some(to) = owner.email.clone() {
            let name = owner.display_name.as_ref().map_or(owner.username.as_str(), |name| name.as_str()).to_owned();
            self.post(Letter { to, name, body: LetterBody::Notice { notice, at, origin: from.clone() } });
        }
        Ok(())
    }
}
