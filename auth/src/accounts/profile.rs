//! What people say about themselves: name and e-mail address. Another address counts once a link that went there was
//! followed, and the one before is told when it is asked for and when it counts; where no letters leave the house it
//! counts at once and stays unverified.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountChange, Actor, Auth, AuthError, AuthStore, Caller, DisplayName, EmailAddress,
    MailBody, Origin, OutgoingMail, SecurityEpoch, SecurityNotice, Token, TokenKind,
    accounts::administration::to_auth_error,
    audit::{AuditAction, NewAuditEntry},
    clock,
    mail::RETRY_AFTER,
    store::{EmailConfirmation, OneTimeKind, OneTimeToken},
    throttle::{Attempt, CredentialKind},
};

const LINK_LIFETIME: Duration = Duration::from_hours(24);

/// `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    pub display_name: Option<Option<DisplayName>>,
    pub email: Option<Option<EmailAddress>>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct ProfileUpdate {
    pub account: Account,
    /// Where a link is on its way to: the address counts once it is followed.
    pub pending_email: Option<EmailAddress>,
}

/// The body of its slip.
#[derive(Serialize, Deserialize)]
struct EmailLinkBody {
    before: Option<String>,
    email: String,
    #[serde(default)]
    era: SecurityEpoch,
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`AuthError::StepUpNeeded`] for another address without a recent sign-in; [`AuthError::Throttled`] for too many.
    pub async fn change_profile(
        &self,
        caller: &Caller,
        change: ProfileChange,
        from: &Origin,
    ) -> Result<ProfileUpdate, AuthError> {
        let before = caller.account();
        let email = change.email.filter(|email| *email != before.email);
        if email.is_some() {
            caller.require_recent()?;
        }
        let (email, pending_email) = match email {
            Some(Some(email)) if !self.mail_disabled() => (None, Some(email)),
            email => (email, None),
        };
        let by = caller.actor().with_origin(from);
        let change = AccountChange {
            display_name: change.display_name,
            email,
            ..AccountChange::default()
        };
        let account = if change == AccountChange::default() {
            before.clone()
        } else {
            self.update_own_account(before, change, by.clone()).await?
        };
        if account.email != before.email {
            self.notify(before, SecurityNotice::EmailChanged, from);
        }
        if let Some(email) = &pending_email {
            // As of the door: where everything was thrown out since, the link leads nowhere.
            let asking = Account {
                epoch: before.epoch,
                ..account.clone()
            };
            self.request_email_change(&asking, email, &by, from).await?;
        }
        Ok(ProfileUpdate {
            account,
            pending_email: pending_email,
        })
    }

    async fn update_own_account(
        &self,
        before: &Account,
        change: AccountChange,
        by: Actor,
    ) -> Result<Account, AuthError> {
        let changed = self
            .0
            .store
            .change_account(&before.username, change, by, self.0.clock.now())
            .await;
        self.invalidate(&before.username);
        changed.map_err(to_auth_error)
    }

    async fn request_email_change(
        &self,
        account: &Account,
        email: &EmailAddress,
        by: &Actor,
        from: &Origin,
    ) -> Result<(), AuthError> {
        // Each letter is counted, so that nobody floods a stranger's mailbox from here.
        let guard = self
            .begin_attempt(&Attempt {
                kind: CredentialKind::EmailLink,
                account: None,
                from,
            })
            .await?;
        self.count(guard).await?;
        let now = self.0.clock.now();
        if !self
            .0
            .unverified_mail_limit
            .allow_account(&account.username, now)
            || !self.0.unverified_mail_limit.allow_mailbox(email, now)
        {
            return Err(AuthError::Throttled {
                retry_after: RETRY_AFTER,
            });
        }
        let token = Token::random(TokenKind::EmailLink, &self.0.rng);
        let expires_at = clock::add(now, LINK_LIFETIME);
        let before = account
            .email
            .as_ref()
            .map(|email| email.as_str().to_owned());
        let kept = serde_json::to_string(&EmailLinkBody {
            before,
            email: email.as_str().to_owned(),
            era: account.epoch,
        });
        let one_time = OneTimeToken {
            kind: OneTimeKind::EmailLink,
            hash: token.hash(),
            username: Some(account.username.clone()),
            body: kept.map_err(|_| AuthError::Internal("an address to confirm"))?,
            created_at: now,
            expires_at: expires_at,
        };
        let record = NewAuditEntry::new(by, AuditAction::EmailChangeRequested, now)
            .subject(account.username.as_str());
        let record = record.with_detail(|detail| detail.with("email", email.as_str()));
        self.0.store.insert_email_link(one_time, record).await?;
        // After the #, where no server and no log sees it.
        let link = SecretString::from(format!(
            "{}/confirm-email#{}",
            self.0.settings.issuer,
            token.expose()
        ));
        let body = MailBody::ConfirmEmail {
            link,
            username: account.username.clone(),
            expires_at,
        };
        // Greeted by no name: it may be a stranger's.
        self.enqueue(OutgoingMail {
            to: email.clone(),
            name: String::new(),
            body,
        });
        // To the one before: that it is to be confirmed is no news to the same one.
        if account.email.as_ref() != Some(email) {
            self.notify(account, SecurityNotice::EmailChangeRequested, from);
        }
        Ok(())
    }

    /// Asks a new account's owner to confirm the address that they gave. Whatever goes wrong is no reason not to register:
    /// they can [ask for the link](Self::confirm_again) later.
    pub(crate) async fn send_first_verification(&self, account: &Account, from: &Origin) {
        let Some(email) = self.unverified_email(account) else {
            return;
        };
        let by = Actor::owner(account).with_origin(from);
        if let Err(error) = self.request_email_change(account, email, &by, from).await {
            tracing::debug!(username = %account.username, %error, "an address was not asked to be confirmed");
        }
    }

    /// The link to confirm one's address once more: the one before is void.
    ///
    /// # Errors
    /// [`AuthError::NothingToConfirm`] where there is no address that waits for it, or no letter leaves the house;
    /// [`AuthError::Throttled`] for too many.
    pub async fn resend_verification(
        &self,
        caller: &Caller,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let account = caller.account();
        let email = self
            .unverified_email(account)
            .ok_or(AuthError::NoUnverifiedEmail)?;
        self.request_email_change(account, email, &caller.actor().with_origin(from), from)
            .await
    }

    fn unverified_email<'a>(&self, account: &'a Account) -> Option<&'a EmailAddress> {
        account
            .email
            .as_ref()
            .filter(|_| !account.email_verified && !self.mail_disabled())
    }

    async fn load_email_link(&self, raw: &str) -> Result<Option<OneTimeToken>, AuthError> {
        let Some(token) = Token::parse(TokenKind::EmailLink, raw) else {
            return Ok(None);
        };
        Ok(self
            .0
            .store
            .find_token(OneTimeKind::EmailLink, &token.hash(), self.0.clock.now())
            .await?)
    }

    /// Follows the link that went to the new address. Signs nobody in.
    ///
    /// # Errors
    /// [`AuthError::EmailLinkOver`] for a link that is unknown, used or expired, or where the address was changed
    /// otherwise or everything of the account thrown out meanwhile; [`AuthError::Throttled`].
    pub async fn confirm_email(&self, raw: &str, from: &Origin) -> Result<Account, AuthError> {
        let found = self
            .lookup_or_penalize(CredentialKind::EmailLink, from, self.load_email_link(raw))
            .await?;
        let one_time = found.ok_or(AuthError::EmailLinkInvalid)?;
        let username = one_time
            .username
            .as_ref()
            .ok_or(AuthError::EmailLinkInvalid)?;
        let known = self
            .0
            .store
            .credentials(username)
            .await?
            .ok_or(AuthError::EmailLinkInvalid)?
            .account;
        let by = Actor::owner(&known).with_origin(from);
        let confirmed = self
            .0
            .store
            .confirm_email(email_confirmation(&one_time, by, self.0.clock.now())?)
            .await?;
        self.invalidate(username);
        let account = confirmed.ok_or(AuthError::EmailLinkInvalid)?;
        if account.email != known.email {
            self.notify(&known, SecurityNotice::EmailChanged, from);
        }
        Ok(account)
    }
}

fn email_confirmation(
    one_time: &OneTimeToken,
    by: Actor,
    at: Timestamp,
) -> Result<EmailConfirmation, AuthError> {
    let broken = || AuthError::Internal("a stored address");
    let body: EmailLinkBody = serde_json::from_str(&one_time.body).map_err(|_| broken())?;
    let address = |raw: &str| EmailAddress::parse(raw).map_err(|_| broken());
    let before = body.before.as_deref().map(address).transpose()?;
    Ok(EmailConfirmation {
        link: one_time.hash.clone(),
        epoch: body.era,
        previous: before,
        email: address(&body.email)?,
        by,
        at,
    })
}
