//! The door of a route: the first argument of its handler, which states the access rule. A handler
//! without a door does not compile.

use auth::{
    Action, Anyone, Caller, Permitted, Scope,
    access::extract::{
        AllowRestricted, AnySession, EnrollmentSession, Interactive, OptionalCaller,
        RecentlyAuthenticated, Revalidating, SameOriginForm,
    },
};

/// The access rule of a door, for the API document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessRule {
    /// No credentials needed.
    Anyone,
    /// Any valid credentials.
    SignedIn,
    /// An interactive session: no personal access token and no delegated client.
    Interactive,
    /// An interactive session with a recent sign-in (RFC 9470).
    RecentlyAuthenticated,
    /// The policy permits the caller this action.
    Permitted(&'static str),
}

#[diagnostic::on_unimplemented(
    message = "this handler does not name its door",
    note = "make its first argument `Permitted<Action>`, `Caller` or `Anyone`"
)]
pub trait Door {
    const ACCESS: AccessRule;
    /// The scope that a token must have.
    const SCOPE: Option<Scope> = None;
}

impl Door for Anyone {
    const ACCESS: AccessRule = AccessRule::Anyone;
}

/// A form of this server's pages.
impl Door for SameOriginForm {
    const ACCESS: AccessRule = AccessRule::Anyone;
}

/// For public pages that differ for signed-in users.
impl Door for OptionalCaller {
    const ACCESS: AccessRule = AccessRule::Anyone;
}

impl Door for Caller {
    const ACCESS: AccessRule = AccessRule::SignedIn;
}

impl Door for Interactive {
    const ACCESS: AccessRule = AccessRule::Interactive;
    const SCOPE: Option<Scope> = Some(Scope::OwnAccount);
}

impl Door for RecentlyAuthenticated {
    const ACCESS: AccessRule = AccessRule::RecentlyAuthenticated;
    const SCOPE: Option<Scope> = Some(Scope::OwnAccount);
}

/// For the own account and for sign-out.
impl Door for AnySession {
    const ACCESS: AccessRule = AccessRule::SignedIn;
}

impl Door for EnrollmentSession {
    const ACCESS: AccessRule = AccessRule::RecentlyAuthenticated;
    const SCOPE: Option<Scope> = Some(Scope::OwnAccount);
}

/// For the operations that lift a session's restriction.
impl Door for AllowRestricted {
    const ACCESS: AccessRule = AccessRule::Interactive;
    const SCOPE: Option<Scope> = Some(Scope::OwnAccount);
}

impl<A: Action> Door for Permitted<A> {
    const ACCESS: AccessRule = AccessRule::Permitted(A::NAME);
    const SCOPE: Option<Scope> = Some(A::SCOPE);
}

impl<A: Action> Door for Revalidating<A> {
    const ACCESS: AccessRule = AccessRule::Permitted(A::NAME);
    const SCOPE: Option<Scope> = Some(A::SCOPE);
}

/// A handler's argument list that begins with a [`Door`]. `T` is axum's marker for it.
#[diagnostic::on_unimplemented(
    message = "this handler does not name its door",
    note = "make its first argument `Permitted<Action>`, `Caller` or `Anyone`"
)]
pub trait HasDoor {
    type Door: Door;
}

macro_rules! doors {
    ($($T:ident)*) => {
        impl<M, D: Door, $($T),*> HasDoor for (M, D, $($T,)*) {
            type Door = D;
        }
    };
}
doors!();
doors!(T2);
doors!(T2 T3);
doors!(T2 T3 T4);
doors!(T2 T3 T4 T5);
doors!(T2 T3 T4 T5 T6);
doors!(T2 T3 T4 T5 T6 T7);
