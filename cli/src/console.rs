//! The permit of the operator. Access to the data folder implies every right.

use auth::{Action, Permit, access::permit::GlobalTarget};

#[expect(
    clippy::disallowed_methods,
    reason = "operator commands run on the data folder, never for a request"
)]
pub(crate) fn operator_permit<A: Action<Target = GlobalTarget>>() -> Permit<A> {
    Permit::for_operator()
}
