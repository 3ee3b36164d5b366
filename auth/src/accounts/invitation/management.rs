//! Creating, listing and withdrawing invitations.

use secrecy::SecretString;

use super::{
    CreatedInvitation, Delivery, INVITATION_LIFETIME, Invitation, InvitationBody, Inviter,
    NewInvitation, to_invitation,
};
use crate::{
    Actor, AuthError, AuthStore, Caller, Invitations, MailBody, OutgoingMail, Permit, Token,
    TokenKind,
    actions::{ManageAccounts, ManageMembers, ReadAccounts},
    audit::AuditAction,
    clock,
    error::{AccessError, AccountError, ThrottleError},
    mail::RETRY_AFTER,
    settings::Registration,
    store::one_time::StoredToken,
};

/// Upper bound on open invitations per creator.
const MAX_OPEN: usize = 100;

impl<S: AuthStore> Invitations<'_, S> {
    /// Creates an invitation. Administrators can offer any right; managers of a realm offer roles
    /// in it, up to their own.
    ///
    /// # Errors
    /// `AccountError::RegistrationClosed`; the denials of the policy;
    /// `AccountError::TooManyInvitations`.
    pub async fn invite(
        self,
        caller: &Caller,
        invitation: NewInvitation,
    ) -> Result<CreatedInvitation, AuthError> {
        // An invitation gives access to a person, so a client must not create one.
        if !caller.is_interactive() {
            return Err(AuthError::Access(AccessError::InteractiveSessionRequired));
        }
        let needs_administrator = invitation.administrator
            || invitation.roles.is_empty()
            || !invitation.groups.is_empty();
        if needs_administrator {
            self.0.auth().permit::<ManageAccounts>(caller, None, None)?;
        }
        for group in &invitation.groups {
            let found = self.0.core.store.group(group).await?;
            found.ok_or(AccountError::NoSuchGroup)?;
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
    /// `AccountError::RegistrationClosed`.
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
        if to.is_some_and(|to| !self.0.mail.unverified_limit.allow_mailbox(to)) {
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
            groups: invitation.groups,
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
    /// `AccountError::NoSuchInvitation`, also for another creator's if the caller is not an
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
}
