//! Attacks with a passkey of the attacker, a recorded assertion, or stolen credential ids.

mod accounts;
mod binding;
mod replay;
