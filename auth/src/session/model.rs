//! The session: it begins with a sign-in and ends once, with all its access tokens, refresh tokens,
//! cookies and sockets.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{AuthMethods, RealmId, Scopes, SecureRandom, TokenHash, Username};

/// 128 random bits in hex; the `sid` claim of access tokens. An identifier, not a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    #[must_use]
    pub fn random(rng: &SecureRandom) -> Self {
        Self(hex::encode(rng.bytes::<16>()).into())
    }

    /// Wraps an id from the store or a request, without validation. An unknown id matches no
    /// session.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// Access and refresh tokens, from `POST /auth/token`.
    OAuth,
    /// The page's cookie.
    Web,
    /// A personal access token: a named session with scopes, realms and an expiry, for a client.
    Personal,
}

impl SessionKind {
    /// The stored, published and audited word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OAuth => "tokens",
            Self::Web => "web",
            Self::Personal => "personal",
        }
    }
}

/// How long a session lives without use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// As long as the installation allows: the user stays signed in on their own machine, or a
    /// client has the tokens.
    Persistent,
    /// At most [`TRANSIENT_IDLE_TIMEOUT`]: the browser may be shared.
    Transient,
}

/// Without use, a browser session ends after this time, unless the user stays signed in.
pub const TRANSIENT_IDLE_TIMEOUT: Duration = Duration::from_hours(12);

impl Persistence {
    /// The idle timeout where the installation allows `longest`.
    #[must_use]
    pub fn idle_timeout(self, longest: Duration) -> Duration {
        match self {
            Self::Persistent => longest,
            Self::Transient => longest.min(TRANSIENT_IDLE_TIMEOUT),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub username: Username,
    pub kind: SessionKind,
    /// When it began. A client's session inherits an older `auth_time`.
    pub started_at: Timestamp,
    pub persistence: Persistence,
    /// Time of the last authentication: `auth_time` (`OpenID` Connect Core §2).
    pub auth_time: Timestamp,
    pub last_seen: Timestamp,
    /// The absolute end; activity does not extend it.
    pub expires_at: Timestamp,
    pub origin: Origin,
    pub ended_at: Option<Timestamp>,
    /// The authentication methods used.
    pub methods: AuthMethods,
    /// The upper bound of what the session may do.
    pub scopes: Scopes,
    /// The realms in which the session is valid; `None` for all.
    pub realms: Option<Arc<[RealmId]>>,
    /// The name that the owner or the client gave it.
    pub label: Option<String>,
    /// The [client](crate::Client) that it was issued to, which alone may refresh it (RFC 6749 §6).
    pub client: Option<String>,
}

/// The source of a request, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub address: IpAddr,
    /// At most 256 characters of `User-Agent`.
    pub user_agent: Option<String>,
    /// The device token of an earlier sign-in ([`TokenKind::KnownDevice`](crate::TokenKind)), if a
    /// well-formed one was sent. Not stored with sessions.
    pub device: Option<TokenHash>,
}
