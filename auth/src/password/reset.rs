//! A new password for who has lost the old one: by a link that comes by mail, or that an administrator hands over. It
//! only sets the password. Whoever has a second factor still needs it to sign in.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{
    Account, AccountStatus, Actor, Auth, AuthError, AuthStore, EmailAddress, MailBody, Origin,
    OutgoingMail, Password, Permit, SecurityNotice, Token, TokenKind, Username,
    audit::{AuditAction, NewAuditEntry},
    clock,
    mail::greeting_name,
    password::UserInputs,
    service::OpenAccountAccess,
    store::{OneTimeKind, OneTimeToken, PasswordReset, ResetConditions},
    throttle::{Attempt, CredentialKind},
};

/// How long a link is good.
const LINK_LIFETIME: Duration = Duration::from_mins(30);
/// No second letter to the same account so soon: nobody's letter box is flooded, and a link that has just arrived is
/// not replaced by whoever keeps asking.
const RESEND_INTERVAL: Duration = Duration::from_mins(5);

/// A link to hand over. Treat as a secret.
#[derive(Debug)]
pub struct ResetLink {
    pub link: SecretString,
    pub expires_at: Timestamp,
}

impl<S: AuthStore> Auth<S> {
    /// Sends a link to the address of the account called `whom`, or of those with this e-mail address, where its owner has
    /// confirmed it. The answer is
    /// the same, and as quick, whether there is one: what there is to do is done behind it.
    ///
    /// # Errors
    /// [`AuthError::Throttled`].
    pub async fn request_reset(&self, identifier: &str, from: &Origin) -> Result<(), AuthError> {
        let guard = self
            .begin_attempt(&Attempt {
                kind: CredentialKind::Reset,
                account: None,
                from,
            })
            .await?;
        // Every question is charged, or the answer would tell. Nothing was wrong with it.
        self.count(guard).await?;
        let (auth, identifier, from) = (
            self.clone(),
            identifier.trim().chars().take(320).collect::<String>(),
            from.clone(),
        );
        let delay = self.random_delay();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Err(error) = auth.send_reset_links(&identifier, &from).await {
                tracing::warn!(%error, "a link for a new password was not sent");
            }
        });
        Ok(())
    }

    /// A link to hand over, whether or not the account has an e-mail address. It is worth what its maker is when it is
    /// used, as an invitation.
    ///
    /// # Errors
    /// [`AuthError::NoSuchAccount`], [`AuthError::AccountDisabled`], [`AuthError::OwnAccount`].
    pub async fn reset_link(
        &self,
        permit: &Permit<OpenAccountAccess>,
        username: &Username,
    ) -> Result<ResetLink, AuthError> {
        let member = self
            .0
            .store
            .member(username)
            .await?
            .ok_or(AuthError::NoSuchAccount)?;
        match member.account.status {
            AccountStatus::Active => {}
            AccountStatus::Disabled => return Err(AuthError::AccountDisabled),
            AccountStatus::Deleted => return Err(AuthError::NoSuchAccount),
        }
        let creator = self.creator(permit.actor(), username).await?;
        let terms = ResetConditions::of(&member.account, creator.as_ref());
        let link = self
            .create_reset_link(&member.account, &terms, permit.actor(), None)
            .await?;
        let link = link.ok_or(AuthError::Internal("a link that was not kept"))?;
        self.audit_and_notify_by(
            &member.account,
            SecurityNotice::ResetLinkCreated,
            permit.actor(),
        )
        .await?;
        Ok(link)
    }

    /// The administrator who makes a link, as they are now; `None` for the operator.
    async fn creator(&self, by: &Actor, of: &Username) -> Result<Option<Account>, AuthError> {
        let Some(session) = by.session() else {
            return Ok(None);
        };
        if by.username == *of {
            return Err(AuthError::OwnAccount);
        }
        let maker = self
            .0
            .store
            .member(&by.username)
            .await?
            .ok_or(AuthError::InvalidToken)?;
        // In this order: whoever is thrown out from here on is so in another era.
        self.live_session(&by.username, session).await?;
        Ok(Some(maker.account))
    }

    /// Sets the password of whoever the link is for. Every session of the account ends. A password that is refused
    /// leaves the link good.
    ///
    /// # Errors
    /// [`AuthError::ResetOver`] for a link that is used, replaced, too old, or none; [`AuthError::PasswordRefused`];
    /// [`AuthError::Throttled`].
    pub async fn reset_password(
        &self,
        link: &str,
        new: Password,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let found = self
            .lookup_or_penalize(CredentialKind::Reset, from, self.account_for_link(link))
            .await?;
        let (link, account) = found.ok_or(AuthError::ResetLinkInvalid)?;
        let new = Arc::new(new);
        self.check_new_password(
            &new,
            UserInputs::from_account(&account),
            self.factor_context(Some(&account)),
        )
        .await?;
        let password = self.0.hasher.hash(&new).await?;
        // Of those who come with the same link at once, the store lets one through.
        let by = Actor::owner(&account).with_origin(from);
        let reset = PasswordReset {
            link: link.hash(),
            password,
            by,
            at: self.0.clock.now(),
        };
        let owner = self.0.store.reset_password(reset).await?;
        self.invalidate(&account.username);
        let owner = owner.ok_or(AuthError::ResetLinkInvalid)?;
        // Whoever could not get in any more, by guessing or by having it guessed at, begins anew.
        self.reset_for_new_secret(&owner.username, CredentialKind::Password)
            .await?;
        self.notify(&owner, SecurityNotice::PasswordReset, from);
        Ok(())
    }

    /// Until the work on a letter begins: long after the answer, and nobody foretells which question it will hold up.
    fn random_delay(&self) -> Duration {
        let [more] = self.0.rng.bytes();
        Duration::from_millis(50 + u64::from(more))
    }

    async fn account_for_link(&self, link: &str) -> Result<Option<(Token, Account)>, AuthError> {
        let Some(link) = Token::parse(TokenKind::Reset, link) else {
            return Ok(None);
        };
        let one_time = self
            .0
            .store
            .find_token(OneTimeKind::Reset, &link.hash(), self.0.clock.now())
            .await?;
        let Some(username) = one_time.and_then(|one_time| one_time.username) else {
            return Ok(None);
        };
        let member = self.0.store.member(&username).await?;
        Ok(member.map(|member| (link, member.account)))
    }

    async fn send_reset_links(&self, identifier: &str, from: &Origin) -> Result<(), AuthError> {
        if self.mail_disabled() {
            return Ok(());
        }
        for account in self.accounts_matching(identifier).await? {
            // Nobody has shown to read what goes to another one: it may be a stranger's, who would have the account.
            let Some(to) = account.email.clone().filter(|_| account.email_verified) else {
                continue;
            };
            let (by, unless_since) = (
                Actor::owner(&account).with_origin(from),
                clock::sub(self.0.clock.now(), RESEND_INTERVAL),
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
            self.enqueue(OutgoingMail {
                to,
                name: greeting_name(&account),
                body,
            });
        }
        Ok(())
    }

    /// By name and by e-mail address: one person's name may look like another one's address.
    async fn accounts_matching(&self, identifier: &str) -> Result<Vec<Account>, AuthError> {
        let mut recipients = match EmailAddress::parse(identifier) {
            Ok(email) => self.0.store.accounts_by_email(&email).await?,
            Err(_) => Vec::new(),
        };
        if let Ok(username) = Username::parse(identifier) {
            let named = self
                .0
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

    /// `None` where one was made after `unless_since`.
    async fn create_reset_link(
        &self,
        account: &Account,
        terms: &ResetConditions,
        by: &Actor,
        unless_since: Option<Timestamp>,
    ) -> Result<Option<ResetLink>, AuthError> {
        let (token, now) = (
            Token::random(TokenKind::Reset, &self.0.rng),
            self.0.clock.now(),
        );
        let expires_at = clock::add(now, LINK_LIFETIME);
        let one_time = OneTimeToken {
            kind: OneTimeKind::Reset,
            hash: token.hash(),
            username: Some(account.username.clone()),
            body: serde_json::to_string(terms)
                .map_err(|_| AuthError::Internal("the terms of a link"))?,
            created_at: now,
            expires_at: expires_at,
        };
        let record = NewAuditEntry::new(by, AuditAction::ResetCreated, now)
            .subject(account.username.as_str());
        let body = self
            .0
            .store
            .insert_reset(one_time, record, unless_since)
            .await?;
        Ok(body.then(|| ResetLink {
            link: self.link("reset", &token),
            expires_at: expires_at,
        }))
    }
}
