//! What can go wrong with a passkey, as facts.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// Not said why: unknown, of a disabled account, copied, signed for another place.
    #[error("This passkey was not accepted.")]
    Refused,
    /// The same, of somebody who is signed in and stays so.
    #[error("This passkey was not accepted.")]
    NotConfirmed,
    /// Nothing that a browser would send as a passkey, or none that can be taken.
    #[error("This is no passkey that can be used here.")]
    Bad,
    /// Used, unknown, too old, or begun by somebody else.
    #[error("This took too long, or was done already. Try again.")]
    Over,
    #[error("This passkey is here already.")]
    Taken,
    #[error("Passkey not found")]
    NoneSuch,
    #[error("There are {most} passkeys already: remove one first.")]
    TooMany { most: usize },
    /// See [`PasskeyRules`](super::PasskeyRules).
    #[error("Passkeys need an address with https and a name: this installation has none.")]
    Unavailable,
}
