//! `[sessions]`: how long people stay signed in.

use std::time::Duration;

use auth::keys::ring::MAX_ACCESS_LIFETIME;
use serde::Deserialize;

use super::ConfigError;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionsSection {
    /// A session that was not used for so many days is over.
    pub idle_days: Option<u32>,
    /// A session is over after so many days, used or not.
    pub absolute_days: Option<u32>,
    /// An access token is good for so many minutes, at most 60.
    pub access_minutes: Option<u32>,
    /// One session makes so many requests a minute at most, at least 60; any number where nothing is said.
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
    pub(super) fn decide(self) -> Result<SessionRules, ConfigError> {
        let rules = SessionRules {
            idle: DAY * self.idle_days.unwrap_or(14),
            absolute: DAY * self.absolute_days.unwrap_or(90),
            access: Duration::from_mins(self.access_minutes.unwrap_or(30).into()),
            requests_per_minute: self.requests_per_minute,
        };
        if rules.idle < DAY || rules.absolute < rules.idle || rules.absolute > 365 * DAY {
            return Err(ConfigError(
                "sessions.idle_days is at least 1, and sessions.absolute_days at least as many and at most 365."
                    .to_owned(),
            ));
        }
        if rules.access < Duration::from_mins(1) || rules.access > MAX_ACCESS_LIFETIME {
            return Err(ConfigError(
                "sessions.access_minutes is between 1 and 60.".to_owned(),
            ));
        }
        if rules.requests_per_minute.is_some_and(|most| most < 60) {
            return Err(ConfigError(
                "sessions.requests_per_minute is at least 60.".to_owned(),
            ));
        }
        Ok(rules)
    }
}
