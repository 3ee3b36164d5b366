//! The state of a login at a provider (RFC 6749 §10.12).
//!
//! It travels sealed in the `state` parameter and opens only with the cookie of the browser that
//! started the login. Starting a login stores nothing. The callback consumes the state, so it works
//! once.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::authorization::Prompt;
use crate::{Caller, clock};

/// Time limit of a login at the provider.
const STATE_LIFETIME: Duration = Duration::from_mins(10);
/// Bytes of the return path, so that URLs stay short.
const MAX_NEXT_BYTES: usize = 1024;

/// The sealed content of `state`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoginState {
    pub(crate) provider: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    pub(crate) next: String,
    pub(crate) ask: Prompt,
    #[serde(rename = "departed_at")]
    pub(crate) started_at: Timestamp,
    /// The account to link the identity to.
    pub(crate) link: Option<LinkTarget>,
}

/// The account, session and security epoch that started the linking. All three must match at the
/// callback.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkTarget {
    username: String,
    session: String,
    era: i64,
}

impl LinkTarget {
    pub(crate) fn of(caller: &Caller) -> Self {
        Self {
            username: caller.account().username.as_str().to_owned(),
            session: caller.session().id.to_string(),
            era: caller.account().epoch.number(),
        }
    }
}

/// Replaces a return path that is too long.
pub(crate) fn clamp_next(next: String) -> String {
    if next.len() <= MAX_NEXT_BYTES {
        next
    } else {
        "/".to_owned()
    }
}

impl LoginState {
    /// Linking requires the session and security epoch that started it.
    pub(crate) fn may_be_completed_by(&self, caller: Option<&Caller>) -> bool {
        self.link
            .as_ref()
            .is_none_or(|target| caller.is_some_and(|caller| LinkTarget::of(caller) == *target))
    }

    /// Within ten minutes of its start.
    pub(super) fn is_current(&self, now: Timestamp) -> bool {
        clock::is_within(self.started_at, STATE_LIFETIME, now)
    }

    pub(super) fn expires_at(&self) -> Timestamp {
        clock::add(self.started_at, STATE_LIFETIME)
    }
}
