//! Invitations: an administrator or manager sets the roles of a new account, and a single-use link
//! registers it.
//!
//! An invitation is authorized when it is accepted: it is invalid if its creator was disabled or
//! lost the right. It is withdrawn when its creator's sessions are all revoked.

use crate::error::{AccessError, AccountError, ThrottleError};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountStatus, Actor, AuthError, AuthStore, Caller, EmailAddress, Invitations,
    MailBody, NewAccount, Origin, OutgoingMail, Permit, Realm, RealmId, Role, Token, TokenHash,
    TokenKind, Username,
    accounts::registration::RegistrationRequest,
    actions::{ManageAccounts, ManageMembers, ReadAccounts},
    audit::{AuditAction, NewAuditEntry},
    clock,
    mail::RETRY_AFTER,
    settings::Registration,
    store::{
        AcceptInvitation, AcceptInvitationResult, Member, OneTimeKind, OneTimeToken, SessionEnd,
        one_time::{OneTime, StoredToken},
    },
    throttle::{Attempt, CredentialKind},
};

const INVITATION_LIFETIME: Duration = Duration::from_hours(72);
/// Upper bound on open invitations per creator.
const MAX_OPEN: usize = 100;

/// The parameters of an invitation.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub administrator: bool,
    pub roles: Vec<(Realm, Role)>,
    /// The account gets this address, regardless of the registration form.
    pub email: Option<EmailAddress>,
    pub delivery: Delivery,
}

/// The delivery of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// The creator hands over the link. It proves nothing about the e-mail address.
    Link,
    /// By mail to [`Invitation::email`] only. Using the link therefore verifies the address.
    Mail,
}

/// An open invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// A public identifier, not a secret.
    pub id: String,
    pub by: Inviter,
    pub administrator: bool,
    pub roles: Vec<(RealmId, Role)>,
    pub email: Option<EmailAddress>,
    pub delivery: Delivery,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inviter {
    /// The operator at the console.
    Operator,
    Account(Username),
}

impl Inviter {
    #[must_use]
    pub fn username(&self) -> Username {
        match self {
            Self::Operator => Actor::console().username,
            Self::Account(username) => username.clone(),
        }
    }
}

/// The result of creating an invitation. `link` is returned once, and not if it is sent by mail.
#[derive(Debug)]
pub struct CreatedInvitation {
    pub invitation: Invitation,
    pub link: Option<SecretString>,
}

impl Invitation {
    /// The audit entry for a withdrawal with its creator's sessions; `None` if the invitation had
    /// already expired.
    #[must_use]
    pub fn withdrawal_entry(one_time: &OneTimeToken, end: &SessionEnd) -> Option<NewAuditEntry> {
        let body = InvitationBody::parse(one_time).ok()?;
        let invitation = to_invitation(one_time, body)
            .ok()
            .filter(|invitation| end.at < invitation.expires_at)?;
        let record = invitation.audit_entry(AuditAction::InvitationRevoked, &end.by, end.at);
        Some(record.with_detail(|detail| detail.reason(end.reason.as_str())))
    }

    fn audit_entry(&self, action: AuditAction, by: &Actor, at: Timestamp) -> NewAuditEntry {
        let subject = self
            .email
            .as_ref()
            .map_or(self.id.as_str(), EmailAddress::as_str);
        let body = serde_json::to_value(InvitationBody::of(self)).unwrap_or_default();
        NewAuditEntry::new(by, action, at)
            .subject(subject)
            .with_detail(|detail| detail.with("invite", body))
    }

    /// Whether the inviter may currently grant what the invitation offers.
    #[must_use]
    pub fn still_authorized(&self, inviter: Option<&Member>) -> bool {
        let inviter = match (&self.by, inviter) {
            (Inviter::Operator, _) => return true,
            (Inviter::Account(_), Some(member))
                if member.account.status == AccountStatus::Active =>
            {
                member
            }
            (Inviter::Account(_), _) => return false,
        };
        let rights = inviter.rights();
        let manages =
            |realm: &RealmId| rights.get(realm).is_some_and(|role| *role >= Role::Manager);
        inviter.account.administrator
            || !self.administrator
                && !self.roles.is_empty()
                && self.roles.iter().all(|(realm, _)| manages(realm))
    }
}

/// The body of an [`OneTimeKind::Invitation`] token.
#[derive(Serialize, Deserialize)]
struct InvitationBody {
    id: String,
    administrator: bool,
    /// Pairs of realm and role.
    roles: Vec<(String, String)>,
    email: Option<String>,
    delivery: Delivery,
}

impl OneTime for InvitationBody {
    const KIND: OneTimeKind = OneTimeKind::Invitation;
    const LIFETIME: Duration = INVITATION_LIFETIME;
}

impl InvitationBody {
    fn of(invitation: &Invitation) -> Self {
        Self {
            id: invitation.id.clone(),
            administrator: invitation.administrator,
            roles: role_strings(&invitation.roles),
            email: invitation
                .email
                .as_ref()
                .map(|email| email.as_str().to_owned()),
            delivery: invitation.delivery,
        }
    }
}

fn role_strings(roles: &[(RealmId, Role)]) -> Vec<(String, String)> {
    roles
        .iter()
        .map(|(realm, role)| (realm.as_str().to_owned(), role.as_str().to_owned()))
        .collect()
}

fn to_invitation(row: &OneTimeToken, body: InvitationBody) -> Result<Invitation, AuthError> {
    let broken = || AuthError::Internal("the stored invitation could not be parsed");
    let role = |(realm, role): (String, String)| Some((RealmId::new(&realm), Role::parse(&role)?));
    Ok(Invitation {
        id: body.id,
        by: row
            .username
            .clone()
            .map_or(Inviter::Operator, Inviter::Account),
        administrator: body.administrator,
        roles: body
            .roles
            .into_iter()
            .map(role)
            .collect::<Option<_>>()
            .ok_or_else(broken)?,
        email: body
            .email
            .map(|raw| EmailAddress::parse(&raw))
            .transpose()
            .map_err(|_| broken())?,
        delivery: body.delivery,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}

impl<S: AuthStore> Invitations<'_, S> {
    /// Creates an invitation. Administrators can offer any right; managers of a realm offer roles
    /// in it, up to their own.
    ///
    /// # Errors
    /// [`AccountError::RegistrationClosed`](crate::error::AccountError::RegistrationClosed); the denials of the policy;
    /// [`AccountError::TooManyInvitations`](crate::error::AccountError::TooManyInvitations).
    pub async fn invite(
        self,
        caller: &Caller,
        invitation: NewInvitation,
    ) -> Result<CreatedInvitation, AuthError> {
        // An invitation gives access to a person, so a client must not create one.
        if !caller.is_interactive() {
            return Err(AuthError::Access(AccessError::InteractiveSessionRequired));
        }
        if invitation.administrator || invitation.roles.is_empty() {
            self.0.auth().permit::<ManageAccounts>(caller, None, None)?;
        }
        for (realm, _) in &invitation.roles {
            self.0
                .auth()
                .permit::<ManageMembers>(caller, Some(realm), None)?;
        }
        let username = &caller.account().username;
        let one_time = self.0.core.one_time();
        let open = one_time.list::<InvitationBody>(Some(username)).await?;
        if open.len() >= MAX_OPEN {
            return Err(AuthError::Account(AccountError::TooManyInvitations));
        }
        self.store_invitation(
            invitation,
            Inviter::Account(username.clone()),
            &caller.actor(),
        )
        .await
    }

    /// Creates an invitation for the command line.
    ///
    /// # Errors
    /// [`AccountError::RegistrationClosed`](crate::error::AccountError::RegistrationClosed).
    pub async fn invite_as_operator(
        self,
        permit: &Permit<ManageAccounts>,
        invitation: NewInvitation,
    ) -> Result<CreatedInvitation, AuthError> {
        self.store_invitation(invitation, Inviter::Operator, permit.actor())
            .await
    }

    async fn store_invitation(
        self,
        invitation: NewInvitation,
        by: Inviter,
        actor: &Actor,
    ) -> Result<CreatedInvitation, AuthError> {
        if self.0.core.settings.registration == Registration::Closed {
            return Err(AuthError::Account(AccountError::RegistrationClosed));
        }
        let (token, now) = (
            Token::random(TokenKind::Invitation, &self.0.core.rng),
            self.0.core.clock.now(),
        );
        // Rate-limited, so that repeated invitations cannot flood a mailbox.
        let to = invitation
            .email
            .as_ref()
            .filter(|_| invitation.delivery == Delivery::Mail);
        if to.is_some_and(|to| !self.0.mail.unverified_limit.allow_mailbox(to, now)) {
            return Err(AuthError::Throttle(ThrottleError::Throttled {
                retry_after: RETRY_AFTER,
            }));
        }
        let invite = Invitation {
            id: hex::encode(self.0.core.rng.bytes::<16>()),
            by,
            administrator: invitation.administrator,
            roles: invitation
                .roles
                .into_iter()
                .map(|(realm, role)| (realm.id, role))
                .collect(),
            email: invitation.email,
            delivery: invitation.delivery,
            created_at: now,
            expires_at: clock::add(now, INVITATION_LIFETIME),
        };
        self.audit_invitation(AuditAction::InvitationCreated, actor, &invite)
            .await?;
        let creator = match &invite.by {
            Inviter::Operator => None,
            Inviter::Account(username) => Some(username),
        };
        self.0
            .core
            .one_time()
            .insert(&InvitationBody::of(&invite), token.hash(), creator, now)
            .await?;
        Ok(self.deliver_invitation(invite, &token, actor))
    }

    fn deliver_invitation(
        self,
        invitation: Invitation,
        token: &Token,
        from: &Actor,
    ) -> CreatedInvitation {
        // In the fragment, so that the token appears in no server log.
        let link = SecretString::from(format!(
            "{}/join#{}",
            self.0.core.settings.issuer,
            token.expose()
        ));
        let (Delivery::Mail, Some(to)) = (invitation.delivery, invitation.email.clone()) else {
            return CreatedInvitation {
                invitation,
                link: Some(link),
            };
        };
        let from = from
            .display_name
            .as_ref()
            .map_or(from.username.as_str(), |name| name.as_str())
            .to_owned();
        let name = to.as_str().to_owned();
        self.0.mail().enqueue(OutgoingMail {
            to,
            name,
            body: MailBody::Invitation {
                link,
                from,
                expires_at: invitation.expires_at,
            },
        });
        CreatedInvitation {
            invitation,
            link: None,
        }
    }

    /// Lists open invitations, newest first: the caller's own, or all for administrators.
    pub async fn invitations(self, caller: &Caller) -> Result<Vec<Invitation>, AuthError> {
        let of = match caller.permit::<ReadAccounts>(None) {
            Ok(_) => None,
            Err(_) => Some(&caller.account().username),
        };
        let open = self.0.core.one_time().list(of).await?;
        open.into_iter()
            .map(|stored| stored.and_then(|stored| to_invitation(&stored.row, stored.body)))
            .collect()
    }

    /// # Errors
    /// [`AccountError::NoSuchInvitation`](crate::error::AccountError::NoSuchInvitation), also for another creator's if the caller is not an
    /// administrator.
    pub async fn revoke_invitation(self, caller: &Caller, id: &str) -> Result<(), AuthError> {
        let of = match caller.permit::<ManageAccounts>(None) {
            Ok(_) => None,
            Err(_) => Some(&caller.account().username),
        };
        let open = self.0.core.one_time().list(of).await?;
        let found = open.into_iter().flatten().find_map(|stored| {
            let StoredToken { row, body } = stored;
            let invitation = to_invitation(&row, body).ok()?;
            (invitation.id == id).then_some((invitation, row.hash))
        });
        let (invitation, hash) = found.ok_or(AccountError::NoSuchInvitation)?;
        if self
            .0
            .core
            .one_time()
            .consume::<InvitationBody>(&hash)
            .await?
            .is_none()
        {
            return Err(AuthError::Account(AccountError::NoSuchInvitation));
        }
        self.audit_invitation(AuditAction::InvitationRevoked, &caller.actor(), &invitation)
            .await
    }

    async fn audit_invitation(
        self,
        action: AuditAction,
        by: &Actor,
        invitation: &Invitation,
    ) -> Result<(), AuthError> {
        self.0
            .mail()
            .record(invitation.audit_entry(action, by, self.0.core.clock.now()))
            .await
    }

    /// Returns the content of an invitation, for its page. Throttled like accepting it.
    ///
    /// # Errors
    /// [`AccountError::InvitationInvalid`](crate::error::AccountError::InvitationInvalid), [`ThrottleError::Throttled`](crate::error::ThrottleError::Throttled).
    pub async fn preview_invitation(
        self,
        raw: &str,
        from: &Origin,
    ) -> Result<Invitation, AuthError> {
        self.load_invitation(raw, from)
            .await
            .map(|(invitation, _)| invitation)
    }

    /// Registers with an invitation. The invitation is checked before the requested account, so
    /// that a request without one does not reveal taken names. A rejected name or password leaves
    /// the invitation valid.
    ///
    /// # Errors
    /// [`AccountError::RegistrationClosed`](crate::error::AccountError::RegistrationClosed), [`AccountError::InvitationInvalid`](crate::error::AccountError::InvitationInvalid),
    /// [`ThrottleError::Throttled`](crate::error::ThrottleError::Throttled); then as `register`.
    pub async fn accept_invitation(
        self,
        request: RegistrationRequest,
        raw: &str,
        from: &Origin,
    ) -> Result<Account, AuthError> {
        let (invitation, hash) = self.load_invitation(raw, from).await?;
        let guard = self
            .0
            .throttling()
            .begin_attempt(&Attempt {
                kind: CredentialKind::Registration,
                account: None,
                from,
            })
            .await?;
        self.0.throttling().count(guard).await?;
        let mut roles = invitation.roles.clone();
        if self.0.core.settings.registration == Registration::Open {
            // The default roles of registration without an invitation.
            roles.extend(self.0.accounts().default_roles().await?);
        }
        let new = NewAccount {
            administrator: invitation.administrator,
            ..self.0.accounts().prepare_account(request).await?
        };
        let new = match invitation.email.clone() {
            Some(email) => NewAccount {
                email: Some(email),
                email_verified: invitation.delivery == Delivery::Mail,
                ..new
            },
            None => new,
        };
        let at = self.0.core.clock.now();
        let by = Actor::self_registered(&new).with_origin(from);
        let acceptance = AcceptInvitation {
            hash,
            invitation,
            new: new.clone(),
            roles: highest(roles),
            by,
            at,
        };
        match self.0.core.store.accept_invitation(acceptance).await? {
            AcceptInvitationResult::Accepted => {
                self.0.invalidate(&new.username);
                tracing::info!(username = %new.username, address = %from.address, "invitation accepted");
                let account = crate::accounts::registration::created_account(new);
                self.0
                    .accounts()
                    .send_first_verification(&account, from)
                    .await;
                Ok(account)
            }
            AcceptInvitationResult::UsernameTaken => {
                Err(AuthError::Account(AccountError::UsernameTaken))
            }
            AcceptInvitationResult::Invalid => {
                Err(AuthError::Account(AccountError::InvitationInvalid))
            }
        }
    }

    /// A wrong token counts as a failure. An invitation that is no longer authorized is
    /// indistinguishable from a wrong one.
    async fn load_invitation(
        self,
        raw: &str,
        from: &Origin,
    ) -> Result<(Invitation, TokenHash), AuthError> {
        if self.0.core.settings.registration == Registration::Closed {
            return Err(AuthError::Account(AccountError::RegistrationClosed));
        }
        let stored = self
            .0
            .throttling()
            .lookup_or_penalize(CredentialKind::Invite, from, self.invitation_token(raw))
            .await?;
        let StoredToken { row, body } = stored.ok_or(AccountError::InvitationInvalid)?;
        let invitation = to_invitation(&row, body)?;
        let inviter = match &invitation.by {
            Inviter::Operator => None,
            Inviter::Account(username) => self.0.core.store.member(username).await?,
        };
        if !invitation.still_authorized(inviter.as_ref()) {
            return Err(AuthError::Account(AccountError::InvitationInvalid));
        }
        Ok((invitation, row.hash))
    }

    async fn invitation_token(
        self,
        raw: &str,
    ) -> Result<Option<StoredToken<InvitationBody>>, AuthError> {
        match Token::parse(TokenKind::Invitation, raw) {
            Some(token) => self.0.core.one_time().find(&token.hash()).await,
            None => Ok(None),
        }
    }
}

/// The highest role in each realm.
fn highest(mut roles: Vec<(RealmId, Role)>) -> Vec<(RealmId, Role)> {
    roles.sort_by(|(a, one), (b, other)| a.cmp(b).then(other.cmp(one)));
    roles.dedup_by(|(a, _), (b, _)| a == b);
    roles
}
