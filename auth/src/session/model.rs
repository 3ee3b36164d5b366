//! A session begins with a sign-in and ends once, for everything that was handed out for it: access tokens, refresh
//! tokens, cookie, sockets.

use std::{fmt, net::IpAddr, sync::Arc};

use jiff::Timestamp;

use crate::{AuthMethods, RealmId, Scopes, SecureRandom, TokenHash, Username};

/// 128 random bits in hex; the `sid` of access tokens. Naming a session is not enough to use it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    #[must_use]
    pub fn random(rng: &SecureRandom) -> Self {
        Self(hex::encode(rng.bytes::<16>()).into())
    }

    /// Takes an id back from where it was kept, or from a request: an unknown one finds nothing.
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
    /// A personal access token: a session that its owner named, bounded and gave to a program.
    Personal,
}

impl SessionKind {
    /// As it is stored, sent and audited.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OAuth => "tokens",
            Self::Web => "web",
            Self::Personal => "personal",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub username: Username,
    pub kind: SessionKind,
    /// When the password was last shown: `auth_time` (`OpenID` Connect Core §2).
    pub auth_time: Timestamp,
    pub last_seen: Timestamp,
    /// The end that nothing moves.
    pub expires_at: Timestamp,
    pub origin: Origin,
    pub ended_at: Option<Timestamp>,
    /// How its owner proved who they are.
    pub methods: AuthMethods,
    /// What it may do at most.
    pub scopes: Scopes,
    /// The realms that it is good in; `None` for all.
    pub realms: Option<Arc<[RealmId]>>,
    /// What its owner or its program calls it.
    pub label: Option<String>,
    /// The [program](crate::Client) that it was given to, which alone may renew it (RFC 6749 §6).
    pub client: Option<String>,
}

/// Where a sign-in came from, as far as one can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub address: IpAddr,
    /// At most 256 characters of `User-Agent`.
    pub user_agent: Option<String>,
    /// The browser's token from an earlier sign-in ([`TokenKind::Device`](crate::TokenKind)), if it showed one that
    /// looks like one. Not stored with sessions.
    pub device: Option<TokenHash>,
}
