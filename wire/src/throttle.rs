//! Who is kept from trying secrets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Too many failures in a row.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Lockout {
    /// Whose secret was tried; null where a whole network is kept out.
    pub account: Option<String>,
    /// `password`, `totp`, `recovery_code` or `user_code`; null where a whole network is kept out.
    pub secret: Option<String>,
    /// `elsewhere`: from wherever the account has not signed in before. `network`: from that one. `device`: from one of
    /// its browsers.
    pub from: String,
    /// An IPv4 address or an IPv6 /64.
    pub network: Option<String>,
    pub failures: u32,
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// `open`: the next try is taken. `waiting`: from `until` on. `shut`: not before somebody lifts it, or the secret is
    /// replaced.
    pub state: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}
