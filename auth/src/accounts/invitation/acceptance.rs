//! Registering with an invitation.

use super::{Delivery, Invitation, InvitationBody, Inviter, to_invitation};
use crate::{
    Account, Actor, AuthError, AuthStore, Invitations, NewAccount, Origin, RealmId, Role, Token,
    TokenHash, TokenKind,
    accounts::registration::RegistrationRequest,
    error::AccountError,
    settings::Registration,
    store::{AcceptInvitation, AcceptInvitationResult, one_time::StoredToken},
    throttle::{Attempt, CredentialKind},
};

impl<S: AuthStore> Invitations<'_, S> {
    /// Returns the content of an invitation, for its page. Throttled like accepting it.
    ///
    /// # Errors
    /// `AccountError::InvitationInvalid`, `ThrottleError::Throttled`.
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
    /// `AccountError::RegistrationClosed`, `AccountError::InvitationInvalid`,
    /// `ThrottleError::Throttled`; then as `register`.
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
