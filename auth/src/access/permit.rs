//! Proof that somebody was allowed to do something. A domain function takes `&Permit<CheckOut>`; only the
//! [policy](crate::access::policy) can make one.

use std::fmt;

use crate::{Actor, AuthError, Realm, Role, Scope, Username};

/// Something that a host application lets people do.
pub trait Action: Send + Sync + 'static {
    /// As it stands in refusals, audit and docs: `file.check_out`.
    const NAME: &'static str;
    /// [`InRealm`] or [`Everywhere`].
    type Target: Target;
    /// The least that a caller must be.
    const REQUIRED_ROLE: <Self::Target as Target>::Requirement;
    /// The word that a token's scope must have.
    const SCOPE: Scope;
    /// Whether the sign-in must be recent.
    const STEP_UP: StepUp = StepUp::Never;
    /// Whether a program may ask for it too.
    const INITIATOR: Initiator = Initiator::UserOrClient;
}

/// Who may ask. What would outlive a stolen token (a way into an account, rights over others) is for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// Somebody who signed in themself; no personal access token, and no program that was let in.
    User,
    UserOrClient,
}

/// Which actions want a sign-in that is recent (RFC 9470), not just a live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUp {
    Never,
    Always,
    /// On the page always; for programs where [`StepUpRules::programs`](crate::service::StepUpRules) says so.
    BrowserOnly,
}

/// Where an action takes place, and so what the policy looks at. Sealed: [`InRealm`] and [`Everywhere`].
pub trait Target: sealed::Sealed + Send + Sync + 'static {
    type Requirement: Copy + fmt::Debug;
    type Resource: Clone + fmt::Debug + Send + Sync;
}

/// In one realm; needs a [`Role`] there. Administrators have every role everywhere.
#[derive(Clone, Copy, Debug)]
pub struct RealmTarget;

/// In the whole installation; needs an administrator.
#[derive(Clone, Copy, Debug)]
pub struct GlobalTarget;

/// What [`Everywhere`] needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Administrator;

impl Target for RealmTarget {
    type Requirement = Role;
    type Resource = Realm;
}

impl Target for GlobalTarget {
    type Requirement = Administrator;
    type Resource = ();
}

pub(crate) mod sealed {
    use crate::{AuthError, Caller, Realm};

    /// How the policy judges each scope: private, so that nobody adds a scope that lets everybody in.
    pub trait Sealed: Sized {
        fn authorize<A: super::Action<Target = Self>>(
            caller: &Caller,
            realm: Option<&Realm>,
        ) -> Result<<A::Target as super::Target>::Resource, AuthError>
        where
            Self: super::Target;
    }
}

/// Proof that `actor` may do `A` in this place.
///
/// Neither `Clone` nor constructible outside this crate: it cannot be forged or kept for later.
pub struct Permit<A: Action> {
    actor: Actor,
    target: <A::Target as Target>::Resource,
    initiator: Initiator,
}

impl<A: Action> Permit<A> {
    pub(crate) fn new(
        actor: Actor,
        target: <A::Target as Target>::Resource,
        initiator: Initiator,
    ) -> Self {
        Self {
            actor,
            target,
            initiator,
        }
    }

    /// For that part of an action that only a person may do.
    ///
    /// # Errors
    /// [`AuthError::NotInPerson`].
    pub(crate) fn require_interactive(&self) -> Result<(), AuthError> {
        if self.initiator == Initiator::User {
            Ok(())
        } else {
            Err(AuthError::InteractiveSessionRequired)
        }
    }

    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    #[must_use]
    pub fn username(&self) -> &Username {
        &self.actor.username
    }
}

impl<A: Action<Target = GlobalTarget>> Permit<A> {
    /// For the program at the console: whoever can read the data folder may do anything in it anyway. Nothing that
    /// answers requests may call this (clippy.toml refuses it).
    #[must_use]
    pub fn for_operator() -> Self {
        Self::new(Actor::console(), (), Initiator::User)
    }
}

impl<A: Action<Target = RealmTarget>> Permit<A> {
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.target
    }
}

impl<A: Action> fmt::Debug for Permit<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("action", &A::NAME)
            .field("actor", &self.actor.username)
            .finish_non_exhaustive()
    }
}
