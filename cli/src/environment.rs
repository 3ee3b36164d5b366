//! A misspelt variable must not be a setting that silently does nothing.

use std::ffi::OsString;

const KNOWN: [&str; 17] = [
    "STRONGROOM_CONFIG",
    "STRONGROOM_LISTEN",
    "STRONGROOM_DATA",
    "STRONGROOM_PUBLIC_URL",
    "STRONGROOM_REGISTRATION",
    "STRONGROOM_REGISTRATION_ROLE",
    "STRONGROOM_MAX_FILE_SIZE",
    "STRONGROOM_TRUSTED_PROXIES",
    "STRONGROOM_PASSWORD_GRANT",
    "STRONGROOM_CONTEXT_WORDS",
    "STRONGROOM_LOG_FORMAT",
    "STRONGROOM_LOG",
    "STRONGROOM_DATABASE_URL",
    "STRONGROOM_DATABASE_URL_FILE",
    "STRONGROOM_DATABASE_TLS",
    "STRONGROOM_DATABASE_MIGRATE",
    // where tests find what is not part of a clone
    "STRONGROOM_SHARED",
];

pub(crate) fn refuse_unknown(names: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    for name in names.filter_map(|name| name.into_string().ok()) {
        if name.starts_with("STRONGROOM_") && !KNOWN.contains(&name.as_str()) {
            anyhow::bail!(
                "the environment sets {name}, which is no setting; see strongroom --help"
            );
        }
    }
    Ok(())
}

/// A setting that is a secret, or says where one is. Never in a message.
pub(crate) fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => {
            anyhow::bail!("the environment sets {name} to nothing: unset it, or fill it in")
        }
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            anyhow::bail!("what the environment sets {name} to is not UTF-8")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_strongroom_variable_is_rejected() {
        assert!(refuse_unknown(["STRONGROOM_LISTNE"].map(OsString::from).into_iter()).is_err());
        assert!(
            refuse_unknown(
                ["STRONGROOM_LISTEN", "PATH"]
                    .map(OsString::from)
                    .into_iter()
            )
            .is_ok()
        );
    }
}
