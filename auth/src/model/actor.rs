//! The actor of a change, with session and origin, as recorded in revisions, events and the audit
//! log.

use crate::{
    Account, DisplayName, EmailAddress, NewAccount, Origin, Session, SessionId, SessionKind,
    Username,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    /// `None` without a session: for registration, mailed links and background tasks.
    pub via: Option<ActorVia>,
    /// The origin of the request, not of the sign-in; `None` without a request.
    pub origin: Option<Origin>,
}

/// The means by which an actor acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorVia {
    /// The operator's command line.
    Console,
    /// A session; `label` is the name that the owner or client gave it.
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

    /// The word in the audit log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Session { kind, .. } => kind.as_str(),
        }
    }
}

impl Actor {
    /// An actor with a username only.
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

    /// The operator at the command line. The username is reserved.
    #[must_use]
    pub fn console() -> Self {
        Self {
            via: Some(ActorVia::Console),
            ..Self::new(Username::console())
        }
    }

    /// The account's owner, without a session.
    #[must_use]
    pub fn owner(account: &Account) -> Self {
        Self {
            display_name: account.display_name.clone(),
            email: account.email.clone(),
            ..Self::new(account.username.clone())
        }
    }

    /// A person who registers an account.
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

    /// The acting session, if there is one.
    #[must_use]
    pub fn session(&self) -> Option<&SessionId> {
        match &self.via {
            Some(ActorVia::Session { id, .. }) => Some(id),
            _ => None,
        }
    }
}
