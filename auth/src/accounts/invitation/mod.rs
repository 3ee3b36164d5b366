//! Invitations: an administrator or manager sets the roles of a new account, and a single-use link
//! registers it.
//!
//! An invitation is authorized when it is accepted: it is invalid if its creator was disabled or
//! lost the right. It is withdrawn when its creator's sessions are all revoked.

mod acceptance;
mod management;

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    AccountStatus, Actor, AuthError, EmailAddress, GroupName, Realm, RealmId, Role, Username,
    audit::{AuditAction, NewAuditEntry},
    store::{Member, OneTimeKind, OneTimeToken, SessionEnd, one_time::OneTime},
};

const INVITATION_LIFETIME: Duration = Duration::from_hours(72);

/// The parameters of an invitation.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub administrator: bool,
    pub roles: Vec<(Realm, Role)>,
    /// The account becomes a member. Only an administrator can set them.
    pub groups: Vec<GroupName>,
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
    pub groups: Vec<GroupName>,
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
                && self.groups.is_empty()
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
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
            groups: invitation.groups.iter().map(ToString::to_string).collect(),
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
        groups: body
            .groups
            .iter()
            .map(|name| GroupName::parse(name))
            .collect::<Result<_, _>>()
            .map_err(|_| broken())?,
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
