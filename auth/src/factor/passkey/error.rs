//! What can go wrong with a passkey, as facts.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// Not said why: unknown, of a disabled account, copied, signed for another place.
    #[error("This passkey was not accepted.")]
    Rejected,
    /// The same, of somebody who is signed in and stays so.
    #[error("This passkey was not accepted.")]
    NotConfirmed,
    /// Nothing that a browser would send as a passkey, or none that can be taken.
    #[error("This passkey cannot be used here.")]
    Malformed,
    /// Used, unknown, too old, or begun by somebody else.
    #[error("This passkey request has expired or was already used. Try again.")]
    CeremonyExpired,
    #[error("This passkey is already registered.")]
    AlreadyRegistered,
    #[error("Passkey not found")]
    NotRegistered,
    #[error("You already have {max} passkeys. Remove one first.")]
    TooMany { max: usize },
    /// See [`PasskeyRules`](super::PasskeyRules).
    #[error("Passkeys require an https address with a host name. This installation has none.")]
    Unavailable,
}
