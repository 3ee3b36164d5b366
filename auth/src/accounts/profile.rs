//! The profile: display name and e-mail address. An e-mail change takes effect when its
//! confirmation link is used. The old address is notified of the request and of the change. Without
//! mail a change takes effect at once, unverified.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountChange, Actor, AuthError, AuthStore, Caller, DisplayName, EmailAddress,
    MailBody, Origin, OutgoingMail, SecurityEpoch, SecurityNotice, Token, TokenKind,
    accounts::administration::to_auth_error,
    audit::{AuditAction, NewAuditEntry},
    error::{AccountError, ThrottleError},
    handles::Accounts,
    mail::RETRY_AFTER,
    store::{
        EmailConfirmation, OneTimeKind,
        one_time::{OneTime, StoredToken},
    },
    throttle::{Attempt, CredentialKind},
};

const LINK_LIFETIME: Duration = Duration::from_hours(24);

/// Changes to the profile; `None` leaves a field unchanged.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    pub display_name: Option<Option<DisplayName>>,
    pub email: Option<Option<EmailAddress>>,
}

/// The result of a profile change.
#[derive(Clone, Debug)]
pub struct ProfileUpdate {
    pub account: Account,
    /// The new address, which takes effect when its confirmation link is used.
    pub pending_email: Option<EmailAddress>,
}

/// The body of an [`OneTimeKind::EmailLink`] token.
#[derive(Serialize, Deserialize)]
struct EmailLinkBody {
    before: Option<String>,
    email: String,
    #[serde(default)]
    era: SecurityEpoch,
}

impl OneTime for EmailLinkBody {
    const KIND: OneTimeKind = OneTimeKind::EmailLink;
    const LIFETIME: Duration = LINK_LIFETIME;
}

impl<S: AuthStore> Accounts<'_, S> {
    /// # Errors
    /// `AccessError::StepUpRequired` for a new address without a recent sign-in;
    /// `ThrottleError::Throttled` for too many requests.
    pub async fn change_profile(
        self,
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
            Some(Some(email)) if !self.0.mail().mail_disabled() => (None, Some(email)),
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
            self.0.mail().notify(
                before,
                SecurityNotice::of_new_address(account.email.as_ref()),
                from,
            );
        }
        if let Some(email) = &pending_email {
            // The epoch of the authenticated request: a revocation since then invalidates the link.
            let requester = Account {
                epoch: before.epoch,
                ..account.clone()
            };
            self.request_email_change(&requester, email, &by, from)
                .await?;
        }
        Ok(ProfileUpdate {
            account,
            pending_email,
        })
    }

    async fn update_own_account(
        self,
        before: &Account,
        change: AccountChange,
        by: Actor,
    ) -> Result<Account, AuthError> {
        let changed = self
            .0
            .core
            .store
            .change_account(&before.username, change, by, self.0.core.clock.now())
            .await;
        self.0.invalidate(&before.username);
        changed.map_err(to_auth_error)
    }

    async fn request_email_change(
        self,
        account: &Account,
        email: &EmailAddress,
        by: &Actor,
        from: &Origin,
    ) -> Result<(), AuthError> {
        self.limit_confirmation_mails(account, email, from).await?;
        let now = self.0.core.clock.now();
        let token = Token::random(TokenKind::EmailLink, &self.0.core.rng);
        let before = account
            .email
            .as_ref()
            .map(|email| email.as_str().to_owned());
        let body = EmailLinkBody {
            before,
            email: email.as_str().to_owned(),
            era: account.epoch,
        };
        let one_time = body.to_token(token.hash(), Some(&account.username), now)?;
        let expires_at = one_time.expires_at;
        let record = NewAuditEntry::new(by, AuditAction::EmailChangeRequested, now)
            .subject(account.username.as_str());
        let record = record.with_detail(|detail| detail.with("email", email.as_str()));
        // Replaces the previous link in the same transaction.
        self.0
            .core
            .store
            .insert_email_link(one_time, record)
            .await?;
        // In the fragment, so that the token appears in no server log.
        let link = SecretString::from(format!(
            "{}/confirm-email#{}",
            self.0.core.settings.issuer,
            token.expose()
        ));
        let body = MailBody::ConfirmEmail {
            link,
            username: account.username.clone(),
            expires_at,
        };
        // No name in the greeting: the mailbox may belong to another person.
        self.0.mail().enqueue(OutgoingMail {
            to: email.clone(),
            name: String::new(),
            body,
        });
        // Notifies the old address, unless the address stays the same.
        if account.email.as_ref() != Some(email) {
            self.0
                .mail()
                .notify(account, SecurityNotice::EmailChangeRequested, from);
        }
        Ok(())
    }

    async fn limit_confirmation_mails(
        self,
        account: &Account,
        email: &EmailAddress,
        from: &Origin,
    ) -> Result<(), AuthError> {
        // Each mail counts, so that requests cannot flood another person's mailbox.
        let guard = self
            .0
            .throttling()
            .begin_attempt(&Attempt {
                kind: CredentialKind::EmailLink,
                account: None,
                from,
            })
            .await?;
        self.0.throttling().count(guard).await?;
        if !self
            .0
            .mail
            .unverified_limit
            .allow_account(&account.username)
            || !self.0.mail.unverified_limit.allow_mailbox(email)
        {
            return Err(AuthError::Throttle(ThrottleError::Throttled {
                retry_after: RETRY_AFTER,
            }));
        }
        Ok(())
    }

    /// Sends the first verification link to a new account. A failure does not fail the
    /// registration: the user can request another link (`resend_verification`).
    pub(crate) async fn send_first_verification(self, account: &Account, from: &Origin) {
        let Some(email) = self.unverified_email(account) else {
            return;
        };
        let by = Actor::owner(account).with_origin(from);
        if let Err(error) = self.request_email_change(account, email, &by, from).await {
            tracing::debug!(username = %account.username, %error, "could not send the first verification link");
        }
    }

    /// Sends the verification link again. The previous link becomes invalid.
    ///
    /// # Errors
    /// `AccountError::NoUnverifiedEmail` without an unverified address or without mail;
    /// `ThrottleError::Throttled` for too many requests.
    pub async fn resend_verification(
        self,
        caller: &Caller,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let account = caller.account();
        let email = self
            .unverified_email(account)
            .ok_or(AuthError::Account(AccountError::NoUnverifiedEmail))?;
        self.request_email_change(account, email, &caller.actor().with_origin(from), from)
            .await
    }

    fn unverified_email(self, account: &Account) -> Option<&EmailAddress> {
        account
            .email
            .as_ref()
            .filter(|_| !account.email_verified && !self.0.mail().mail_disabled())
    }

    async fn load_email_link(
        self,
        raw: &str,
    ) -> Result<Option<StoredToken<EmailLinkBody>>, AuthError> {
        match Token::parse(TokenKind::EmailLink, raw) {
            Some(token) => self.0.core.one_time().find(&token.hash()).await,
            None => Ok(None),
        }
    }

    /// Uses the confirmation link. Does not sign in.
    ///
    /// # Errors
    /// `AccountError::EmailLinkInvalid` for an unknown, used or expired link, or if the address or
    /// the security epoch has changed since; `ThrottleError::Throttled`.
    pub async fn confirm_email(self, raw: &str, from: &Origin) -> Result<Account, AuthError> {
        let found = self
            .0
            .throttling()
            .lookup_or_penalize(CredentialKind::EmailLink, from, self.load_email_link(raw))
            .await?;
        let link = found.ok_or(AuthError::Account(AccountError::EmailLinkInvalid))?;
        let username = link
            .row
            .username
            .as_ref()
            .ok_or(AuthError::Account(AccountError::EmailLinkInvalid))?;
        let known = self
            .0
            .core
            .store
            .credentials(username)
            .await?
            .ok_or(AuthError::Account(AccountError::EmailLinkInvalid))?
            .account;
        let by = Actor::owner(&known).with_origin(from);
        let confirmed = self
            .0
            .core
            .store
            .confirm_email(email_confirmation(&link, by, self.0.core.clock.now())?)
            .await?;
        self.0.invalidate(username);
        let account = confirmed.ok_or(AuthError::Account(AccountError::EmailLinkInvalid))?;
        if account.email != known.email {
            self.0
                .mail()
                .notify(&known, SecurityNotice::EmailChanged, from);
        }
        Ok(account)
    }
}

fn email_confirmation(
    link: &StoredToken<EmailLinkBody>,
    by: Actor,
    at: Timestamp,
) -> Result<EmailConfirmation, AuthError> {
    let address = |raw: &str| {
        EmailAddress::parse(raw)
            .map_err(|_| AuthError::Internal("the stored e-mail link could not be parsed"))
    };
    Ok(EmailConfirmation {
        link: link.row.hash.clone(),
        epoch: link.body.era,
        previous: link.body.before.as_deref().map(address).transpose()?,
        email: address(&link.body.email)?,
        by,
        at,
    })
}
