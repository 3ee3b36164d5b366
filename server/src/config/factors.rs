//! `[factors]` and `[step_up]`: which accounts require a second factor, and when users confirm it
//! again (RFC 9470).

use std::time::Duration;

use auth::{
    factor::{FactorRequirement, FactorRules},
    settings::{ClientStepUp, StepUpRules},
};
use serde::Deserialize;

use super::ConfigError;

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FactorsSection {
    /// The accounts that require a second factor. Default: `optional`, no account.
    pub required: Option<FactorRequirementSetting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactorRequirementSetting {
    Optional,
    Administrators,
    All,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepUpSection {
    /// Minutes for which a sign-in counts as recent: 1 to 60, default 10.
    pub minutes: Option<u64>,
    /// Whether OAuth clients also need a recent sign-in to delete files and override locks.
    /// Default: off, because clients of the original API delete with any live token.
    pub files: Option<bool>,
}

impl FactorsSection {
    pub(super) fn resolve(self) -> FactorRules {
        let required = match self.required.unwrap_or(FactorRequirementSetting::Optional) {
            FactorRequirementSetting::Optional => FactorRequirement::Optional,
            FactorRequirementSetting::Administrators => FactorRequirement::Administrators,
            FactorRequirementSetting::All => FactorRequirement::All,
        };
        FactorRules {
            required,
            ..FactorRules::default()
        }
    }
}

impl StepUpSection {
    pub(super) fn resolve(self) -> Result<StepUpRules, ConfigError> {
        let minutes = self.minutes.unwrap_or(10);
        if !(1..=60).contains(&minutes) {
            return Err(ConfigError(
                "step_up.minutes must be between 1 and 60.".to_owned(),
            ));
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
            FactorsSection::default().resolve().required,
            FactorRequirement::Optional
        );
        let rules = StepUpSection::default().resolve().unwrap();
        assert_eq!(
            (rules.max_age, rules.clients),
            (Duration::from_mins(10), ClientStepUp::LiveSession)
        );
        for minutes in [0, 61] {
            let section = StepUpSection {
                minutes: Some(minutes),
                files: None,
            };
            let error = section.resolve().unwrap_err().0;
            assert!(error.contains("minutes"), "{error}");
        }
    }
}
