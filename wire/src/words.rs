//! The fixed words of string members, for the API document. A test compares them with the domain.

use utoipa::ToSchema;

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($word:ident),* $(,)? })*) => {
        $($(#[$meta])*
        #[derive(Clone, Copy, Debug, ToSchema)]
        #[schema(rename_all = "snake_case")]
        pub enum $name { $($word),* })*
    };
}

words! {
    /// The role of an account or group in a vault. Each role has the rights of those before it.
    Role { Viewer, Editor, Manager }
    /// The change that an event tells.
    EventAction { Add, Checkout, Cancel, Checkin, Override, Describe, Move, Restore }
    /// The change that made a revision.
    RevisionKind { Added, CheckedIn, Moved, Restored, Deleted }
    /// A browser session, or a session of an API client.
    SessionKind { Web, Tokens }
    /// The means by which the actor acted.
    ActorKind { Web, Tokens, Personal, Console }
    /// A second factor.
    FactorKind { Totp, Passkey }
    /// The kind of credential that was guessed.
    CredentialKind { Password, Totp, RecoveryCode, UserCode }
    /// Selects accounts of a list.
    UserFilter { Active, Disabled, Administrators, WithoutSecondFactor, LockedOut, ResetRequired }
}
