//! Every route says who may enter, in its handler's first argument. A handler that forgets does not compile.

use auth::{
    Action, Anyone, Caller, Permitted,
    access::extract::{
        AllowRestricted, AnySession, EnrollmentSession, Interactive, OptionalCaller,
        RecentlyAuthenticated, Revalidating, SameOriginForm,
    },
};

/// Who may enter, as the API document tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The world, on purpose.
    Anyone,
    /// Everybody who is signed in.
    SignedIn,
    /// The person themself: no personal access token.
    InPerson,
    /// The person themself, who signed in a short while ago.
    Recently,
    /// Whoever the policy permits this action.
    Permitted(&'static str),
}

#[diagnostic::on_unimplemented(
    message = "this handler does not say who may enter",
    note = "make its first argument `Permitted<Action>`, `Caller` or `Anyone`"
)]
pub trait Door {
    const ENTRY: Entry;
}

impl Door for Anyone {
    const ENTRY: Entry = Entry::Anyone;
}

/// A form of our own pages.
impl Door for SameOriginForm {
    const ENTRY: Entry = Entry::Anyone;
}

/// For pages that anybody may open but that look different when signed in.
impl Door for OptionalCaller {
    const ENTRY: Entry = Entry::Anyone;
}

impl Door for Caller {
    const ENTRY: Entry = Entry::SignedIn;
}

impl Door for Interactive {
    const ENTRY: Entry = Entry::InPerson;
}

impl Door for RecentlyAuthenticated {
    const ENTRY: Entry = Entry::Recently;
}

/// For who one is, and for leaving.
impl Door for AnySession {
    const ENTRY: Entry = Entry::SignedIn;
}

impl Door for EnrollmentSession {
    const ENTRY: Entry = Entry::Recently;
}

/// For what leads out of a restricted session.
impl Door for AllowRestricted {
    const ENTRY: Entry = Entry::InPerson;
}

impl<A: Action> Door for Permitted<A> {
    const ENTRY: Entry = Entry::Permitted(A::NAME);
}

impl<A: Action> Door for Revalidating<A> {
    const ENTRY: Entry = Entry::Permitted(A::NAME);
}

/// A handler's argument list that begins with a [`Door`]. `T` is axum's marker for it.
#[diagnostic::on_unimplemented(
    message = "this handler does not say who may enter",
    note = "make its first argument `Permitted<Action>`, `Caller` or `Anyone`"
)]
pub trait NamesItsDoor {
    type Door: Door;
}

macro_rules! doors {
    ($($T:ident)*) => {
        impl<M, D: Door, $($T),*> NamesItsDoor for (M, D, $($T,)*) {
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
