//! The one door of the operator: whoever may read the data folder may do everything.

use auth::{Action, Permit, permit::Everywhere};

#[expect(clippy::disallowed_methods, reason = "this is the console")]
pub(crate) fn operator<A: Action<Scope = Everywhere>>() -> Permit<A> {
    Permit::of_operator()
}
