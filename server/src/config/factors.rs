//! `[factors]` and `[step_up]`: who must have a second factor, and when one shows it again.

use std::time::Duration;

use auth::{
    factor::{FactorRequirement, FactorRules},
    service::{ClientStepUp, StepUpRules},
};
use serde::Deserialize;

use super::ConfigError;

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FactorsSection {
    /// Who can do nothing without a second factor: nobody (`optional`) unless said otherwise.
    pub required: Option<RequiredOf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequiredOf {
    Optional,
    Administrators,
    All,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepUpSection {
    /// How long a sign-in is recent: 10 unless said otherwise, 1 to 60.
    pub minutes: Option<u64>,
    /// Whether programs, too, need a recent sign-in to delete files and to override locks. Off unless said otherwise:
    /// clients of the original delete with any live token.
    pub files: Option<bool>,
}

impl FactorsSection {
    pub(super) fn decide(self) -> FactorRules {
        let required = match self.required.unwrap_or(RequiredOf::Optional) {
            RequiredOf::Optional => FactorRequirement::Optional,
            RequiredOf::Administrators => FactorRequirement::Administrators,
            RequiredOf::All => FactorRequirement::All,
        };
        FactorRules {
            required,
            ..FactorRules::default()
        }
    }
}

impl StepUpSection {
    pub(super) fn decide(self) -> Result<StepUpRules, ConfigError> {
        let minutes = self.minutes.unwrap_or(10);
        if !(1..=60).contains(&minutes) {
            return Err(ConfigError("step_up.minutes is 1 to 60.".to_owned()));
        }
        let programs = if self.files == Some(true) {
            ClientStepUp::RecentSignIn
        } else {
            ClientStepUp::LiveSession
        };
        Ok(StepUpRules {
            max_age: Duration::from_mins(minutes),
            clients: programs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_settings_default_to_optional_and_ten_minutes() {
        assert_eq!(
            FactorsSection::default().decide().required,
            FactorRequirement::Optional
        );
        let rules = StepUpSection::default().decide().unwrap();
        assert_eq!(
            (rules.max_age, rules.clients),
            (Duration::from_mins(10), ClientStepUp::LiveSession)
        );
        for minutes in [0, 61] {
            assert!(
                StepUpSection {
                    minutes: Some(minutes),
                    files: None
                }
                .decide()
                .is_err()
            );
        }
    }
}
