//! Sign-in lockouts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Too many failures in a row.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Lockout {
    /// The account; null if a whole network is locked out.
    pub account: Option<String>,
    /// Null if a whole network is locked out.
    #[schema(value_type = Option<crate::CredentialKind>)]
    pub secret: Option<String>,
    /// `elsewhere`: from any source that is new to the account. `network`: from that one. `device`:
    /// from one of its browsers.
    pub from: String,
    /// An IPv4 address or an IPv6 /64.
    pub network: Option<String>,
    pub failures: u32,
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// `open`: the next attempt is accepted. `waiting`: from `until` on. `shut`: not until the
    /// lockout is lifted or the secret is replaced.
    pub state: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}
