//! Environment variables. Unknown names are errors, so that a typo is not silently ignored.

use std::ffi::OsString;

const KNOWN: [&str; 18] = [
    "STRONGROOM_CONFIG",
    "STRONGROOM_LISTEN",
    "STRONGROOM_DATA",
    "STRONGROOM_PUBLIC_URL",
    "STRONGROOM_REGISTRATION",
    "STRONGROOM_REGISTRATION_ROLE",
    "STRONGROOM_MAX_FILE_SIZE",
    "STRONGROOM_TRUSTED_PROXIES",
    "STRONGROOM_PASSWORD_GRANT",
    "STRONGROOM_SECURITY_CONTACT",
    "STRONGROOM_CONTEXT_WORDS",
    "STRONGROOM_LOG_FORMAT",
    "STRONGROOM_LOG",
    "STRONGROOM_DATABASE_URL",
    "STRONGROOM_DATABASE_URL_FILE",
    "STRONGROOM_DATABASE_TLS",
    "STRONGROOM_DATABASE_MIGRATE",
    // Read by tests only: the folder of shared test vectors.
    "STRONGROOM_SHARED",
];

pub(crate) fn refuse_unknown(names: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    for name in names.filter_map(|name| name.into_string().ok()) {
        if name.starts_with("STRONGROOM_") && !KNOWN.contains(&name.as_str()) {
            anyhow::bail!(
                "the environment variable {name} is not a setting; see strongroom --help"
            );
        }
    }
    Ok(())
}

/// Reads a setting that is a secret or the path of one. Errors never contain the value.
pub(crate) fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => {
            anyhow::bail!("the environment variable {name} is empty: set it or unset it")
        }
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            anyhow::bail!("the environment variable {name} is not valid UTF-8")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_strongroom_variable_is_rejected() {
        let error = refuse_unknown(["STRONGROOM_LISTNE"].map(OsString::from).into_iter())
            .unwrap_err()
            .to_string();
        assert!(error.contains("STRONGROOM_LISTNE"), "{error}");
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
