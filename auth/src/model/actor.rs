//! Who did it, on whose behalf and from where, as it goes into revisions, events and the audit.

use crate::{
    Account, DisplayName, EmailAddress, NewAccount, Origin, Session, SessionId, SessionKind,
    Username,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    /// `None` where nobody is signed in: somebody registers, follows a link, or the program does it by itself.
    pub via: Option<ActorVia>,
    /// Of the request, not of the sign-in; `None` where there is no request.
    pub origin: Option<Origin>,
}

/// Through what somebody acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorVia {
    /// The operator's command line.
    Console,
    /// A sign-in, or what was handed out for programs and devices: `label` is what its owner calls it.
    Session {
        id: SessionId,
        kind: SessionKind,
        label: Option<String>,
    },
}

impl ActorVia {
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self::Session {
            id: session.id.clone(),
            kind: session.kind,
            label: session.label.clone(),
        }
    }

    /// As it stands in the audit.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Session { kind, .. } => kind.as_str(),
        }
    }
}

impl Actor {
    /// Somebody of this name, of whom no more is known.
    #[must_use]
    pub fn new(username: Username) -> Self {
        Self {
            username,
            display_name: None,
            email: None,
            via: None,
            origin: None,
        }
    }

    /// The operator, at the command line. Nobody can register under this name.
    #[must_use]
    pub fn console() -> Self {
        Self {
            via: Some(ActorVia::Console),
            ..Self::new(Username::console())
        }
    }

    /// The account's owner, who is not signed in.
    #[must_use]
    pub fn owner(account: &Account) -> Self {
        Self {
            display_name: account.display_name.clone(),
            email: account.email.clone(),
            ..Self::new(account.username.clone())
        }
    }

    /// Whoever makes their own account.
    #[must_use]
    pub fn self_registered(new: &NewAccount) -> Self {
        Self {
            display_name: new.display_name.clone(),
            email: new.email.clone(),
            ..Self::new(new.username.clone())
        }
    }

    #[must_use]
    pub fn with_origin(self, origin: &Origin) -> Self {
        Self {
            origin: Some(origin.clone()),
            ..self
        }
    }

    /// The session that acts, if one does.
    #[must_use]
    pub fn session(&self) -> Option<&SessionId> {
        match &self.via {
            Some(ActorVia::Session { id, .. }) => Some(id),
            _ => None,
        }
    }
}
