//! The one place where a [`Permit`] is made.

use std::sync::Arc;

use crate::{
    Account, Action, Actor, AuthError, Permit, Realm, RealmId, Role, Session,
    directory::Rights,
    permit::{Everywhere, InRealm, Scope, sealed::Sealed},
};

/// Somebody who proved who they are: a live session of an active account. A handler that takes a `Caller` is open to
/// everybody who is signed in.
#[derive(Clone, Debug)]
pub struct Caller {
    rights: Arc<Rights>,
    session: Arc<Session>,
    via: Via,
}

/// How the request proved who it is (RFC 6750 header, or the web session's cookie).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Bearer,
    Cookie,
    /// A single-use ticket in the query of a WebSocket or event stream.
    Ticket,
}

impl Caller {
    pub(crate) fn new(rights: Arc<Rights>, session: Arc<Session>, via: Via) -> Self {
        Self { rights, session, via }
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
    pub fn via(&self) -> Via {
        self.via
    }

    /// The role in a realm; every role for administrators, none for strangers.
    #[must_use]
    pub fn role_in(&self, realm: &RealmId) -> Option<Role> {
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
            session: Some(self.session.id.clone()),
        }
    }

    /// Asks the policy. `realm` is the one that the request is about; actions on the whole installation ignore it.
    ///
    /// # Errors
    /// [`AuthError::RealmNotFound`] where the caller has no role at all (it may not even know that the realm is
    /// there), [`AuthError::NotAllowed`] where the role is too small.
    pub fn permit<A: Action>(&self, realm: Option<&Realm>) -> Result<Permit<A>, AuthError> {
        let place = <A::Scope as Sealed>::judge::<A>(self, realm)?;
        Ok(Permit::new(self.actor(), place))
    }
}

impl Sealed for InRealm {
    fn judge<A: Action<Scope = Self>>(caller: &Caller, realm: Option<&Realm>) -> Result<Realm, AuthError> {
        let realm = realm.ok_or(AuthError::RealmNotFound)?;
        let role = caller.role_in(&realm.id).ok_or(AuthError::RealmNotFound)?;
        if role < A::NEEDS {
            return Err(AuthError::NotAllowed { action: A::NAME });
        }
        Ok(realm.clone())
    }
}

impl Sealed for Everywhere {
    fn judge<A: Action<Scope = Self>>(caller: &Caller, _: Option<&Realm>) -> Result<<Self as Scope>::Place, AuthError> {
        if caller.account().administrator { Ok(()) } else { Err(AuthError::NotAllowed { action: A::NAME }) }
    }
}
