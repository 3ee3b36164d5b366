//! `[sessions]`: lifetimes and the request rate of sessions.

use std::time::Duration;

use auth::keys::ring::MAX_ACCESS_LIFETIME;
use serde::Deserialize;

use super::ConfigError;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionsSection {
    /// Days without use after which a session ends.
    pub idle_days: Option<u32>,
    /// Days after which a session ends, used or not.
    pub absolute_days: Option<u32>,
    /// Lifetime of an access token in minutes, at most 60.
    pub access_minutes: Option<u32>,
    /// Requests per minute allowed for one session, at least 60. Unlimited if absent.
    pub requests_per_minute: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRules {
    pub idle: Duration,
    pub absolute: Duration,
    pub access: Duration,
    pub requests_per_minute: Option<u32>,
}

const DAY: Duration = Duration::from_hours(24);

impl SessionsSection {
    pub(super) fn resolve(self) -> Result<SessionRules, ConfigError> {
        let rules = SessionRules {
            idle: DAY * self.idle_days.unwrap_or(14),
            absolute: DAY * self.absolute_days.unwrap_or(90),
            access: Duration::from_mins(self.access_minutes.unwrap_or(30).into()),
            requests_per_minute: self.requests_per_minute,
        };
        if rules.idle < DAY || rules.absolute < rules.idle || rules.absolute > 365 * DAY {
            return Err(ConfigError(
                "sessions.idle_days must be at least 1; sessions.absolute_days must be at least sessions.idle_days and at most 365."
                    .to_owned(),
            ));
        }
        if rules.access < Duration::from_mins(1) || rules.access > MAX_ACCESS_LIFETIME {
            return Err(ConfigError(
                "sessions.access_minutes must be between 1 and 60.".to_owned(),
            ));
        }
        if rules.requests_per_minute.is_some_and(|limit| limit < 60) {
            return Err(ConfigError(
                "sessions.requests_per_minute must be at least 60.".to_owned(),
            ));
        }
        Ok(rules)
    }
}
