//! Password reset by a link, sent by mail or handed over by an administrator. A reset only sets the
//! password; the account's second factor is still required to sign in.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{
    Account, AccountStatus, Actor, AuthError, AuthStore, EmailAddress, MailBody, Origin,
    OutgoingMail, Password, Passwords, Permit, SecurityNotice, Token, TokenKind, Username,
    actions::OpenAccountAccess,
    audit::{AuditAction, NewAuditEntry},
    clock,
    error::{AccessError, AccountError},
    mail::greeting_name,
    password::UserInputs,
    password::hashing::HashPriority,
    store::{OneTimeKind, PasswordReset, ResetConditions, one_time::OneTime},
    throttle::{Attempt, CredentialKind},
};

/// Lifetime of a reset link.
const LINK_LIFETIME: Duration = Duration::from_mins(30);
/// Minimum interval between two mails to one account. It prevents flooding, and replacing a link
/// that has just arrived.
const RESEND_INTERVAL: Duration = Duration::from_mins(5);

impl OneTime for ResetConditions {
    const KIND: OneTimeKind = OneTimeKind::Reset;
    const LIFETIME: Duration = LINK_LIFETIME;
}

/// A reset link to hand over. Treat as a secret.
#[derive(Debug)]
pub struct ResetLink {
    pub link: SecretString,
    pub expires_at: Timestamp,
}

impl<S: AuthStore> Passwords<'_, S> {
    /// Sends a link to the accounts with this username or e-mail address, if the address is
    /// verified. Response and timing do not depend on whether an account exists: the work is done
    /// in the background.
    ///
    /// # Errors
    /// `ThrottleError::Throttled`.
    pub async fn request_reset(self, identifier: &str, from: &Origin) -> Result<(), AuthError> {
        let guard = self
            .0
            .throttling()
            .begin_attempt(&Attempt {
                kind: CredentialKind::Reset,
                account: None,
                from,
            })
            .await?;
        // Every request counts, so that the throttle does not reveal accounts.
        self.0.throttling().count(guard).await?;
        let (auth, identifier, from) = (
            self.0.auth(),
            identifier.trim().chars().take(320).collect::<String>(),
            from.clone(),
        );
        let delay = self.random_delay();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Err(error) = auth.passwords().send_reset_links(&identifier, &from).await {
                tracing::warn!(%error, "could not send a password reset link");
            }
        });
        Ok(())
    }

    /// Creates a link to hand over, also for an account without an e-mail address. The link is
    /// valid only while its creator may create one, as for an invitation.
    ///
    /// # Errors
    /// `AccountError::NoSuchAccount`, `AccountError::AccountDisabled`, `AccountError::OwnAccount`.
    pub async fn reset_link(
        self,
        permit: &Permit<OpenAccountAccess>,
        username: &Username,
    ) -> Result<ResetLink, AuthError> {
        let member = self
            .0
            .core
            .store
            .member(username)
            .await?
            .ok_or(AuthError::Account(AccountError::NoSuchAccount))?;
        match member.account.status {
            AccountStatus::Active => {}
            AccountStatus::Disabled => {
                return Err(AuthError::Account(AccountError::AccountDisabled));
            }
            AccountStatus::Deleted => return Err(AuthError::Account(AccountError::NoSuchAccount)),
        }
        let creator = self.creator(permit.actor(), username).await?;
        let terms = ResetConditions::of(&member.account, creator.as_ref());
        let link = self
            .create_reset_link(&member.account, &terms, permit.actor(), None)
            .await?;
        let link = link.ok_or(AuthError::Internal("the reset link was not stored"))?;
        self.0
            .mail()
            .audit_and_notify_by(
                &member.account,
                SecurityNotice::ResetLinkCreated,
                permit.actor(),
            )
            .await?;
        Ok(link)
    }

    /// The current account of the administrator who creates a link; `None` for the operator.
    async fn creator(self, by: &Actor, of: &Username) -> Result<Option<Account>, AuthError> {
        let Some(session) = by.session() else {
            return Ok(None);
        };
        if by.username == *of {
            return Err(AuthError::Account(AccountError::OwnAccount));
        }
        let creator = self
            .0
            .core
            .store
            .member(&by.username)
            .await?
            .ok_or(AuthError::Access(AccessError::InvalidToken))?;
        // In this order: a revocation after this point also changes the security epoch.
        self.0
            .sessions()
            .live_session(&by.username, session)
            .await?;
        Ok(Some(creator.account))
    }

    /// Sets the password of the link's account and ends all its sessions. A rejected password
    /// leaves the link valid.
    ///
    /// # Errors
    /// `AccountError::ResetLinkInvalid` for an unknown, used, replaced or expired link;
    /// `AccountError::PasswordRejected`; `ThrottleError::Throttled`.
    pub async fn reset_password(
        self,
        link: &str,
        new: Password,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let found = self
            .0
            .throttling()
            .lookup_or_penalize(CredentialKind::Reset, from, self.account_for_link(link))
            .await?;
        let (link, account) = found.ok_or(AuthError::Account(AccountError::ResetLinkInvalid))?;
        let new = Arc::new(new);
        self.check_new_password(
            &new,
            UserInputs::from_account(&account),
            self.factor_context(Some(&account)),
            HashPriority::Familiar,
        )
        .await?;
        let password = self.0.hasher.hash(&new).await?;
        // The store accepts only one of several concurrent uses of the link.
        let by = Actor::owner(&account).with_origin(from);
        let reset = PasswordReset {
            link: link.hash(),
            password,
            by,
            at: self.0.core.clock.now(),
        };
        let owner = self.0.core.store.reset_password(reset).await?;
        self.0.invalidate(&account.username);
        let owner = owner.ok_or(AuthError::Account(AccountError::ResetLinkInvalid))?;
        // Lifts throttling and lockouts of the account: they protected the old password.
        self.0
            .throttling()
            .reset_for_new_secret(&owner.username, CredentialKind::Password)
            .await?;
        self.0
            .mail()
            .notify(&owner, SecurityNotice::PasswordReset, from);
        Ok(())
    }

    /// Random delay before the background work. It starts after the response, so that its load does
    /// not reveal which request caused it.
    fn random_delay(self) -> Duration {
        let [more] = self.0.core.rng.bytes();
        Duration::from_millis(50 + u64::from(more))
    }

    async fn account_for_link(self, link: &str) -> Result<Option<(Token, Account)>, AuthError> {
        let Some(link) = Token::parse(TokenKind::Reset, link) else {
            return Ok(None);
        };
        // Untyped: the body is parsed in the transaction that consumes the link. There a body of an
        // older version is an invalid link, not an error.
        let one_time = self
            .0
            .core
            .store
            .find_token(OneTimeKind::Reset, &link.hash(), self.0.core.clock.now())
            .await?;
        let Some(username) = one_time.and_then(|one_time| one_time.username) else {
            return Ok(None);
        };
        let member = self.0.core.store.member(&username).await?;
        Ok(member.map(|member| (link, member.account)))
    }

    async fn send_reset_links(self, identifier: &str, from: &Origin) -> Result<(), AuthError> {
        if self.0.mail().mail_disabled() {
            return Ok(());
        }
        for account in self.accounts_matching(identifier).await? {
            // An unverified address may belong to another person, who would get the account.
            let Some(to) = account.email.clone().filter(|_| account.email_verified) else {
                continue;
            };
            let (by, unless_since) = (
                Actor::owner(&account).with_origin(from),
                clock::sub(self.0.core.clock.now(), RESEND_INTERVAL),
            );
            let created = self
                .create_reset_link(
                    &account,
                    &ResetConditions::of(&account, None),
                    &by,
                    Some(unless_since),
                )
                .await?;
            let Some(ResetLink {
                link,
                expires_at: until,
            }) = created
            else {
                continue;
            };
            let body = MailBody::Reset {
                link,
                username: account.username.clone(),
                expires_at: until,
            };
            self.0.mail().enqueue(OutgoingMail {
                to,
                name: greeting_name(&account),
                body,
            });
        }
        Ok(())
    }

    /// Matches username and e-mail address: a username may equal another account's address.
    async fn accounts_matching(self, identifier: &str) -> Result<Vec<Account>, AuthError> {
        let mut recipients = match EmailAddress::parse(identifier) {
            Ok(email) => self.0.core.store.accounts_by_email(&email).await?,
            Err(_) => Vec::new(),
        };
        if let Ok(username) = Username::parse(identifier) {
            let named = self
                .0
                .core
                .store
                .member(&username)
                .await?
                .map(|member| member.account);
            let named = named.filter(|account| account.status == AccountStatus::Active);
            recipients.extend(named.filter(|named| {
                recipients
                    .iter()
                    .all(|other| other.username != named.username)
            }));
        }
        Ok(recipients)
    }

    /// Returns `None` if a link was created after `unless_since`.
    async fn create_reset_link(
        self,
        account: &Account,
        terms: &ResetConditions,
        by: &Actor,
        unless_since: Option<Timestamp>,
    ) -> Result<Option<ResetLink>, AuthError> {
        let (token, now) = (
            Token::random(TokenKind::Reset, &self.0.core.rng),
            self.0.core.clock.now(),
        );
        let one_time = terms.to_token(token.hash(), Some(&account.username), now)?;
        let expires_at = one_time.expires_at;
        let record = NewAuditEntry::new(by, AuditAction::ResetCreated, now)
            .subject(account.username.as_str());
        // Replaces the previous link in the same transaction.
        let created = self
            .0
            .core
            .store
            .insert_reset(one_time, record, unless_since)
            .await?;
        Ok(created.then(|| ResetLink {
            link: self.0.mail().link("reset", &token),
            expires_at,
        }))
    }
}
