//! The service: registering, signing in, and everything that follows from it. One per process, cheap to clone.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    Account, AccountChange, Action, AuthError, AuthStore, Caller, Chance, Clock, DisplayName, EmailAddress, Origin,
    Password, PasswordHash, Permit, Realm, RealmName, Role, Session, SessionId, SessionKind, Token, Username,
    permit::{Administrator, Everywhere, InRealm},
    store::{AccountQuery, Member},
};

/// What the host decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `iss` of access tokens: the public URL of the installation.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    pub registration: Registration,
    /// What a new account may do in the realm `main`.
    pub first_role: Option<Role>,
    pub access_lifetime: Duration,
    /// A session not used for so long is over.
    pub idle: Duration,
    /// A session is over after this, used or not.
    pub absolute: Duration,
    pub hashing: HashingCost,
}

/// Argon2id parameters (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingCost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    Open,
    /// Only with an invitation; there are none yet, so: by administrators.
    Invite,
    Closed,
}

/// What somebody who registers sends. Nothing about rights: those are decided here.
#[derive(Debug)]
pub struct Applicant {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    pub password: Password,
}

/// A sign-in that succeeded.
#[derive(Debug)]
pub struct SignedIn {
    pub caller: Caller,
    /// The refresh token or the cookie, by [`SessionKind`].
    pub secret: Token,
}

/// What `POST /auth/token` hands out.
#[derive(Debug)]
pub struct Tokens {
    pub account: Account,
    /// A JWT (RFC 7519, typ `at+jwt`). Handed out once; treat as a secret.
    pub access: secrecy::SecretString,
    pub refresh: Token,
    pub expires_in: Duration,
    pub scope: String,
}

/// RFC 7662 §2.2; `None` from [`Auth::introspect`] is `{"active": false}`.
#[derive(Clone, Debug)]
pub struct Introspection {
    pub username: Username,
    pub session: SessionId,
    pub token_type: &'static str,
    pub expires_at: Timestamp,
    pub issued_at: Timestamp,
    pub scope: String,
}

/// Whether the other sessions survive a password change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    End,
    Keep,
}

/// Administrators list, change and delete accounts.
#[derive(Debug)]
pub struct ManageAccounts;
impl Action for ManageAccounts {
    const NAME: &'static str = "accounts.manage";
    type Scope = Everywhere;
    const NEEDS: Administrator = Administrator;
}

/// Managers of a vault (and administrators) say who may do what in it.
#[derive(Debug)]
pub struct ManageMembers;
impl Action for ManageMembers {
    const NAME: &'static str = "members.manage";
    type Scope = InRealm;
    const NEEDS: Role = Role::Manager;
}

/// An account brought over from elsewhere.
#[derive(Debug)]
pub struct Import {
    pub username: Username,
    pub password: PasswordHash,
    pub administrator: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Auth<S> {
    store: S,
    clock: Clock,
    chance: Chance,
}

impl<S: AuthStore> Auth<S> {
    /// `signing_secret` is at least 32 bytes (see [`crate::key`]); purposes are parted from it by HKDF.
    pub async fn open(
        store: S,
        settings: Settings,
        keys: crate::key::MasterKey,
        clock: Clock,
        chance: Chance,
    ) -> Result<Self, AuthError> {
        todo!()
    }

    /// Follows the account-event log for ever: run it as a task. Every 250 ms, and at once when this node wrote.
    pub async fn follow(&self) {
        todo!()
    }

    /// Ticks whenever sessions or rights changed: open sockets then ask [`still`](Self::still) again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        todo!()
    }

    // -- registering
    pub async fn register(&self, applicant: Applicant, from: &Origin) -> Result<Account, AuthError> {
        todo!()
    }
    /// By an administrator or the operator's console: registration settings do not matter. `by` None is the console.
    pub async fn add_account(
        &self,
        applicant: Applicant,
        administrator: Option<Administrator>,
    ) -> Result<Account, AuthError> {
        todo!()
    }
    pub async fn import(&self, account: Import) -> Result<Account, AuthError> {
        todo!()
    }
    /// The token of the one-time link, good for 30 minutes, kept in memory; `None` once there is an administrator.
    pub async fn setup_token(&self) -> Result<Option<Token>, AuthError> {
        todo!()
    }
    /// Whether the link is still good, for the page to say so early.
    pub fn setup_open(&self, token: &str) -> bool {
        todo!()
    }
    pub async fn first_administrator(&self, token: &str, applicant: Applicant) -> Result<Account, AuthError> {
        todo!()
    }

    // -- signing in and out
    /// Throttle, account, hash (a dummy one for unknown users), upgrade, session, audit, in this order.
    /// `username` is as typed: one that does not parse costs the same and fails the same.
    pub async fn sign_in(
        &self,
        username: &str,
        password: Password,
        kind: SessionKind,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        todo!()
    }
    /// [`sign_in`](Self::sign_in) for `POST /auth/token`, with the access token made.
    pub async fn token(&self, username: &str, password: Password, from: Origin) -> Result<Tokens, AuthError> {
        todo!()
    }
    pub async fn refresh(&self, token: &str, from: Origin) -> Result<Tokens, AuthError> {
        todo!()
    }
    /// RFC 7009: an access or refresh token ends its session; anything else does nothing. Never says which.
    pub async fn revoke(&self, token: &str) -> Result<(), AuthError> {
        todo!()
    }
    pub async fn introspect(&self, by: &Caller, token: &str) -> Result<Option<Introspection>, AuthError> {
        todo!()
    }
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), AuthError> {
        todo!()
    }
    /// A single-use, 30 s ticket for a WebSocket.
    pub fn ticket(&self, caller: &Caller) -> Token {
        todo!()
    }

    // -- who is it
    pub async fn by_bearer(&self, token: &str) -> Result<Caller, AuthError> {
        todo!()
    }
    pub async fn by_cookie(&self, cookie: &str) -> Result<Caller, AuthError> {
        todo!()
    }
    pub async fn by_ticket(&self, ticket: &str) -> Result<Caller, AuthError> {
        todo!()
    }
    /// The same caller as of now: an error if its session has ended, else with its present rights.
    pub async fn still(&self, caller: &Caller) -> Result<Caller, AuthError> {
        todo!()
    }
    pub async fn realm(&self, name: &RealmName) -> Result<Option<Realm>, AuthError> {
        todo!()
    }
    /// Realms in which the caller has a role, by name.
    pub async fn realms_of(&self, caller: &Caller) -> Result<Vec<(Realm, Role)>, AuthError> {
        todo!()
    }

    // -- one's own account
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Password,
        new: Password,
        others: Others,
        from: &Origin,
    ) -> Result<(), AuthError> {
        todo!()
    }
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>, AuthError> {
        todo!()
    }
    pub async fn end_session(&self, caller: &Caller, id: &SessionId) -> Result<(), AuthError> {
        todo!()
    }
    pub async fn end_other_sessions(&self, caller: &Caller) -> Result<u64, AuthError> {
        todo!()
    }

    // -- administration
    pub async fn members(
        &self,
        permit: &Permit<ManageAccounts>,
        query: AccountQuery,
    ) -> Result<Vec<Member>, AuthError> {
        todo!()
    }
    pub async fn member(&self, permit: &Permit<ManageAccounts>, username: &Username) -> Result<Member, AuthError> {
        todo!()
    }
    pub async fn change_account(
        &self,
        permit: &Permit<ManageAccounts>,
        username: &Username,
        change: AccountChange,
    ) -> Result<Member, AuthError> {
        todo!()
    }
    pub async fn members_of(&self, permit: &Permit<ManageMembers>) -> Result<Vec<(Account, Role)>, AuthError> {
        todo!()
    }
    pub async fn set_role(
        &self,
        permit: &Permit<ManageMembers>,
        username: &Username,
        role: Option<Role>,
    ) -> Result<(), AuthError> {
        todo!()
    }
}
