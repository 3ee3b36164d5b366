//! The policy: the only place that creates a [`Permit`] from a request. The operator's console uses
//! [`Permit::for_operator`].

use std::sync::Arc;

pub use crate::error::Restriction;

use crate::{
    Account, Action, Actor, ActorVia, AuthError, FactorKinds, Origin, Permit, Realm, RealmId, Role,
    Scope, Scopes, Session, SessionKind,
    access::permit::{GlobalTarget, Initiator, RealmTarget, StepUp, Target, sealed::Sealed},
    error::AccessError,
    session::cache::Rights,
    settings::{ClientStepUp, StepUpRules},
};

/// An authenticated request: a live session of an active account. A handler that takes a `Caller`
/// is open to every authenticated user.
#[derive(Clone, Debug)]
pub struct Caller {
    rights: Arc<Rights>,
    session: Arc<Session>,
    via: AuthVia,
    assurance: Assurance,
    /// The origin of this request.
    origin: Option<Arc<Origin>>,
}

/// The strength of the authentication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assurance {
    pub(crate) age: AuthAge,
    pub(crate) rules: StepUpRules,
    pub(crate) restriction: Option<Restriction>,
}

/// The age of the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthAge {
    Recent,
    Old,
}

/// The credential of the request (RFC 6750 header, or the web session's cookie).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthVia {
    Bearer,
    Cookie,
    /// A single-use ticket in the query of a WebSocket or event stream.
    Ticket,
    /// `Authorization: Basic` with a personal access token (git, LFS, WebDAV).
    Basic,
}

impl Caller {
    pub(crate) fn new(
        rights: Arc<Rights>,
        session: Arc<Session>,
        via: AuthVia,
        assurance: Assurance,
    ) -> Self {
        Self {
            rights,
            session,
            via,
            assurance,
            origin: None,
        }
    }

    /// Where this request came from.
    #[must_use]
    pub(crate) fn with_origin(self, origin: Arc<Origin>) -> Self {
        Self {
            origin: Some(origin),
            ..self
        }
    }

    /// Narrows the scopes to those of the token (RFC 6749 §6: a refresh may request fewer than the
    /// session has).
    #[must_use]
    pub(crate) fn narrowed_to(mut self, scopes: Scopes) -> Self {
        if !self.session.scopes.is_subset(scopes) {
            let narrower = Session {
                scopes: self.session.scopes.intersection(scopes),
                ..Session::clone(&self.session)
            };
            self.session = Arc::new(narrower);
        }
        self
    }

    /// The scopes that a token of this caller states: those of the session that the account has a
    /// right for today.
    pub(crate) fn effective_scopes(&self) -> Scopes {
        self.grantable(self.session.scopes)
    }

    /// `scopes` without those that the account has no right for.
    pub(crate) fn grantable(&self, scopes: Scopes) -> Scopes {
        self.rights.grantable(scopes)
    }

    /// Where this request came from, if the host sets it.
    #[must_use]
    pub fn origin(&self) -> Option<&Arc<Origin>> {
        self.origin.as_ref()
    }

    #[must_use]
    pub fn account(&self) -> &Account {
        &self.rights.account
    }

    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    #[must_use]
    pub fn via(&self) -> AuthVia {
        self.via
    }

    /// The restriction of the session, if any.
    #[must_use]
    pub fn restriction(&self) -> Option<Restriction> {
        self.assurance.restriction
    }

    /// The second factors of the account.
    #[must_use]
    pub fn factors(&self) -> FactorKinds {
        self.rights.factors
    }

    /// Whether the session is the user's own: no personal access token, and the scope `account`.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.session.kind != SessionKind::Personal
            && self.session.scopes.contains(Scope::OwnAccount)
    }

    /// Whether the caller is an administrator, with a token for every realm and the scope `admin`.
    #[must_use]
    pub fn may_administer(&self) -> bool {
        self.rights.account.administrator
            && self.session.realms.is_none()
            && self.session.scopes.contains(Scope::Administer)
    }

    /// # Errors
    /// `AccessError::Restricted` while the session is restricted.
    pub fn require_unrestricted(&self) -> Result<(), AuthError> {
        self.assurance.restriction.map_or(Ok(()), |restriction| {
            Err(AuthError::Access(AccessError::Restricted(restriction)))
        })
    }

    /// # Errors
    /// `AccessError::StepUpRequired` unless the sign-in is recent.
    pub fn require_recent(&self) -> Result<(), AuthError> {
        match self.assurance.age {
            AuthAge::Recent => Ok(()),
            AuthAge::Old => Err(AuthError::Access(AccessError::StepUpRequired {
                max_age: self.assurance.rules.max_age,
            })),
        }
    }

    /// A personal access token passes: its creation required a recent sign-in.
    fn require_step_up(&self, step_up: StepUp) -> Result<(), AuthError> {
        let is_required = match step_up {
            StepUp::Never => false,
            StepUp::Always => true,
            StepUp::BrowserOnly => {
                self.via == AuthVia::Cookie
                    || self.assurance.rules.clients == ClientStepUp::RecentSignIn
            }
        };
        if is_required && self.session.kind != SessionKind::Personal {
            self.require_recent()
        } else {
            Ok(())
        }
    }

    /// The role in a realm. Administrators have every role; `None` without a role.
    #[must_use]
    pub fn role_in(&self, realm: &RealmId) -> Option<Role> {
        if self
            .session
            .realms
            .as_ref()
            .is_some_and(|realms| !realms.contains(realm))
        {
            return None;
        }
        if self.rights.account.administrator {
            return Some(Role::Manager);
        }
        self.rights.roles.get(realm).copied()
    }

    #[must_use]
    pub fn actor(&self) -> Actor {
        let account = self.account();
        Actor {
            username: account.username.clone(),
            display_name: account.display_name.clone(),
            email: account.email.clone(),
            via: Some(ActorVia::of(&self.session)),
            origin: self.origin.as_deref().cloned(),
        }
    }

    /// Evaluates the policy. `realm` is the realm of the request; actions on the whole installation
    /// ignore it.
    ///
    /// # Errors
    /// - `AccessError::RealmNotFound` without any role, because the caller may not learn that the
    ///   realm exists.
    /// - `AccessError::NotAllowed` if the role is insufficient, `AccessError::InsufficientScope` if
    ///   the scopes are.
    /// - `AccessError::InteractiveSessionRequired` if the action is for users only.
    /// - `AccessError::Restricted` and `AccessError::StepUpRequired`.
    pub fn permit<A: Action>(&self, realm: Option<&Realm>) -> Result<Permit<A>, AuthError> {
        self.require_unrestricted()?;
        let target = <A::Target as Sealed>::authorize::<A>(self, realm)?;
        if !self.session.scopes.contains(A::SCOPE) {
            return Err(AuthError::Access(AccessError::InsufficientScope {
                scope: A::SCOPE,
            }));
        }
        let initiator = if self.is_interactive() {
            Initiator::User
        } else {
            Initiator::UserOrClient
        };
        if A::INITIATOR == Initiator::User && initiator != Initiator::User {
            return Err(AuthError::Access(AccessError::InteractiveSessionRequired));
        }
        self.require_step_up(A::STEP_UP)?;
        Ok(Permit::new(self.actor(), target, initiator))
    }
}

impl Sealed for RealmTarget {
    fn authorize<A: Action<Target = Self>>(
        caller: &Caller,
        realm: Option<&Realm>,
    ) -> Result<Realm, AuthError> {
        let realm = realm.ok_or(AuthError::Access(AccessError::RealmNotFound))?;
        let role = caller
            .role_in(&realm.id)
            .ok_or(AuthError::Access(AccessError::RealmNotFound))?;
        if role < A::REQUIRED_ROLE {
            return Err(AuthError::Access(AccessError::NotAllowed {
                action: A::NAME,
            }));
        }
        Ok(realm.clone())
    }
}

impl Sealed for GlobalTarget {
    fn authorize<A: Action<Target = Self>>(
        caller: &Caller,
        _: Option<&Realm>,
    ) -> Result<<Self as Target>::Resource, AuthError> {
        // A token for some realms cannot act outside of them.
        let everywhere = caller.session().realms.is_none();
        if caller.account().administrator && everywhere {
            Ok(())
        } else {
            Err(AuthError::Access(AccessError::NotAllowed {
                action: A::NAME,
            }))
        }
    }
}
