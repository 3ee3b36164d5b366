//! The one door of the operator: whoever may read the data folder may do everything.

use auth::{Action, Permit, permit::GlobalTarget};

#[expect(clippy::disallowed_methods, reason = "this is the console")]
pub(crate) fn operator<A: Action<Target = GlobalTarget>>() -> Permit<A> {
    Permit::for_operator()
}
