//! Permits: proofs of authorization. A domain function takes `&Permit<CheckOut>`; only the
//! [policy](crate::access::policy) can create one.

use std::fmt;

pub use crate::model::account::Administrator;

use crate::{Actor, AuthError, Realm, Role, Scope, Username, error::AccessError};

/// An operation of the host that requires authorization.
pub trait Action: Send + Sync + 'static {
    /// The name in errors, audit and docs, such as `file.check_out`.
    const NAME: &'static str;
    /// [`RealmTarget`] or [`GlobalTarget`].
    type Target: Target;
    /// The minimum role or right.
    const REQUIRED_ROLE: <Self::Target as Target>::Requirement;
    /// The scope that a token must have.
    const SCOPE: Scope;
    /// Whether a recent sign-in is required.
    const STEP_UP: StepUp = StepUp::Never;
    /// Whether clients may perform it too.
    const INITIATOR: Initiator = Initiator::UserOrClient;
}

/// The initiator that an action requires. Actions whose effect outlives a stolen token (a way into
/// an account, rights over others) are for users only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// A user who signed in interactively; neither a personal access token nor an OAuth client.
    User,
    UserOrClient,
}

/// Actions that require a recent sign-in (RFC 9470), not just a live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUp {
    Never,
    Always,
    /// Always in the browser; for clients if [`StepUpRules::clients`](crate::settings::StepUpRules)
    /// requires it.
    BrowserOnly,
}

/// Where an action applies, which selects the rule of the policy. Sealed: [`RealmTarget`] and
/// [`GlobalTarget`].
pub trait Target: sealed::Sealed + Send + Sync + 'static {
    type Requirement: Copy + fmt::Debug;
    type Resource: Clone + fmt::Debug + Send + Sync;
}

/// One realm. Requires a [`Role`] there; administrators have every role in every realm.
#[derive(Clone, Copy, Debug)]
pub struct RealmTarget;

/// The whole installation. Requires an administrator.
#[derive(Clone, Copy, Debug)]
pub struct GlobalTarget;

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

    /// The policy's check per target. Private, so that no other crate adds a permissive target.
    pub trait Sealed: Sized {
        fn authorize<A: super::Action<Target = Self>>(
            caller: &Caller,
            realm: Option<&Realm>,
        ) -> Result<<A::Target as super::Target>::Resource, AuthError>
        where
            Self: super::Target;
    }
}

/// Proof that `actor` may perform `A` on this target.
///
/// It is neither `Clone` nor constructible outside this crate, so it cannot be forged or kept.
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

    /// For the part of an action that requires an interactive session.
    ///
    /// # Errors
    /// `AccessError::InteractiveSessionRequired`.
    pub(crate) fn require_interactive(&self) -> Result<(), AuthError> {
        if self.initiator == Initiator::User {
            Ok(())
        } else {
            Err(AuthError::Access(AccessError::InteractiveSessionRequired))
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
    /// For the operator's console: read access to the data folder already allows everything.
    /// Request handlers must not call this (clippy.toml forbids it).
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
