//! Handles: one small type for each flow, borrowed from [`Auth`]. `auth.sessions()` lists what
//! can be done with sessions.
//!
//! A handle is a pointer. Its methods live beside the flow they belong to: `session/`, `oauth/`, ….

use std::{fmt, sync::Arc};

use crate::service::{Auth, Service};

macro_rules! handle {
    ($(#[$doc:meta])* $vis:vis $name:ident) => {
        $(#[$doc])*
        $vis struct $name<'a, S>(pub(crate) &'a Arc<Service<S>>);

        impl<S> Clone for $name<'_, S> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<S> Copy for $name<'_, S> {}

        impl<S> fmt::Debug for $name<'_, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

/// The handles that hosts call.
macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident from $accessor:ident;)*) => {
        $(handle! { $(#[$doc])* pub $name })*

        impl<S> Auth<S> {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $accessor(&self) -> $name<'_, S> {
                    $name(&self.0)
                }
            )*
        }
    };
}

/// The handles that other flows call, from inside the crate.
macro_rules! inner_handles {
    ($($name:ident from $accessor:ident;)*) => {
        impl<S> Service<S> {
            /// The service itself, for a task that outlives the request.
            pub(crate) fn auth(self: &Arc<Self>) -> Auth<S> {
                Auth(Arc::clone(self))
            }

            $(
                pub(crate) fn $accessor(self: &Arc<Self>) -> $name<'_, S> {
                    $name(self)
                }
            )*
        }
    };
}

handles! {
    /// Requests are matched to sessions; sessions are listed, confirmed and ended.
    Sessions from sessions;
    /// Signing in with a password, changing and resetting it, and its strength.
    Passwords from passwords;
    /// The token endpoint, authorization codes, consent, the device flow, introspection and revocation.
    OAuth from oauth;
    /// Personal access tokens.
    PersonalTokens from personal_tokens;
    /// Second factors: TOTP, recovery codes, and the second step of a sign-in.
    Factors from factors;
    /// `WebAuthn`: registration, authentication and management of passkeys.
    Passkeys from passkeys;
    /// Invitations and the registrations made from them.
    Invitations from invitations;
    /// Signing in through `OpenID` providers, and linked identities.
    Upstream from upstream;
    /// Registration, the profile, and the account's own audit.
    Accounts from accounts;
    /// What administrators and vault managers do: accounts, roles, groups, lockouts, audit.
    Admin from admin;
    /// Mail that the host sends, and notices to account owners.
    Mail from mail;
    /// Signing keys: rotation and the published key set.
    Keys from keys;
    /// Tasks that run beside requests for as long as the process lives.
    Background from background;
}

handle! {
    /// Counting failed attempts and asking whether another one is allowed.
    pub(crate) Throttling
}

inner_handles! {
    Background from background;
    Sessions from sessions;
    Passwords from passwords;
    OAuth from oauth;
    PersonalTokens from personal_tokens;
    Factors from factors;
    Accounts from accounts;
    Mail from mail;
    Keys from keys;
    Throttling from throttling;
}
