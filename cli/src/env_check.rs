//! Environment variables. Unknown names are errors, so that a typo is not silently ignored. Names
//! that Kubernetes and Docker derive from a service called `strongroom` are no settings.

use std::ffi::{OsStr, OsString};

const PREFIX: &str = "STRONGROOM_";

/// The settings, without [`PREFIX`].
const KNOWN: [&str; 20] = [
    "CONFIG",
    "LISTEN",
    "DATA",
    "PUBLIC_URL",
    "REGISTRATION",
    "REGISTRATION_ROLE",
    "MAX_FILE_SIZE",
    "TRUSTED_PROXIES",
    "PASSWORD_GRANT",
    "SECURITY_CONTACT",
    "CONTEXT_WORDS",
    "LOG_FORMAT",
    "LOG",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "DATABASE_TLS",
    "DATABASE_MIGRATE",
    "METRICS_TOKEN",
    "METRICS_TOKEN_FILE",
    // Read by tests only: the folder of shared test vectors.
    "SHARED",
];

pub(crate) fn refuse_unknown(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> anyhow::Result<()> {
    let own: Vec<Variable> = variables
        .filter_map(|(name, value)| Variable::read(name, &value))
        .collect();
    let aliases: Vec<String> = own.iter().filter_map(Variable::docker_alias).collect();
    for variable in &own {
        let name = &variable.name;
        let is_copied = aliases.iter().any(|alias| name.starts_with(alias));
        if !KNOWN.contains(&name.as_str()) && !is_copied && !variable.is_link() {
            anyhow::bail!(
                "the environment variable {PREFIX}{name} is not a setting; see strongroom --help"
            );
        }
    }
    Ok(())
}

/// A variable of ours.
struct Variable {
    /// Without [`PREFIX`].
    name: String,
    value: String,
}

impl Variable {
    fn read(name: OsString, value: &OsStr) -> Option<Self> {
        let name = name.into_string().ok()?;
        Some(Self {
            name: name.strip_prefix(PREFIX)?.to_owned(),
            value: value.to_string_lossy().into_owned(),
        })
    }

    /// Whether Kubernetes or a Docker link sets it for a service of our name, or of a longer one
    /// such as `strongroom-db`.
    fn is_link(&self) -> bool {
        let is_number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let words: Vec<&str> = self.name.split('_').collect();
        match words.as_slice() {
            [.., "PORT", port, "TCP" | "UDP" | "SCTP"]
            | [
                ..,
                "PORT",
                port,
                "TCP" | "UDP" | "SCTP",
                "PROTO" | "PORT" | "ADDR",
            ] => is_number(port),
            [.., "SERVICE", "HOST" | "PORT"] => true,
            [.., "PORT"] => ["tcp://", "udp://", "sctp://"]
                .iter()
                .any(|scheme| self.value.starts_with(scheme)),
            [.., "NAME"] => self.is_docker_name(),
            // A port with a name.
            words => words
                .array_windows()
                .any(|pair| *pair == ["SERVICE", "PORT"]),
        }
    }

    /// Whether the value is `/container/alias`.
    fn is_docker_name(&self) -> bool {
        let rest = self.value.strip_prefix('/');
        rest.is_some_and(|rest| rest.contains('/'))
    }

    /// The start of the variables that a Docker link copies from the other container, if this
    /// variable names the link.
    fn docker_alias(&self) -> Option<String> {
        let alias = self.name.strip_suffix("NAME")?;
        self.is_docker_name().then(|| format!("{alias}ENV_"))
    }
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

    fn check(variables: &[(&str, &str)]) -> Result<(), String> {
        let variables = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        refuse_unknown(variables).map_err(|error| error.to_string())
    }

    #[test]
    fn unknown_strongroom_variable_is_rejected() {
        for (name, value) in [
            ("STRONGROOM_LISTNE", "127.0.0.1:1"),
            ("STRONGROOM_PORT", "8000"),
            ("STRONGROOM_HOST", "10.0.0.1"),
            ("STRONGROOM_SERVICE", "strongroom"),
            ("STRONGROOM_PORT_HTTP_TCP", "tcp://10.0.0.1:80"),
            ("STRONGROOM_NAME", "strongroom"),
            ("STRONGROOM_ENV_LISTEN", "127.0.0.1:1"),
        ] {
            let error = check(&[(name, value)]).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert_eq!(check(&[("STRONGROOM_LISTEN", "a"), ("PATH", "b")]), Ok(()));
    }

    #[test]
    fn kubernetes_and_docker_links_are_ignored() {
        let links = [
            ("STRONGROOM_PORT", "tcp://10.0.0.1:8000"),
            ("STRONGROOM_SERVICE_HOST", "10.0.0.1"),
            ("STRONGROOM_SERVICE_PORT", "8000"),
            ("STRONGROOM_SERVICE_PORT_HTTP", "8000"),
            ("STRONGROOM_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
            ("STRONGROOM_PORT_8000_TCP_ADDR", "10.0.0.1"),
            ("STRONGROOM_PORT_8000_TCP_PORT", "8000"),
            ("STRONGROOM_PORT_8000_TCP_PROTO", "tcp"),
            ("STRONGROOM_PORT_53_UDP", "udp://10.0.0.1:53"),
            ("STRONGROOM_DB_PORT", "tcp://10.0.0.2:5432"),
            ("STRONGROOM_DB_SERVICE_HOST", "10.0.0.2"),
            ("STRONGROOM_NAME", "/web/strongroom"),
            ("STRONGROOM_ENV_LISTEN", "0.0.0.0:8000"),
        ];
        assert_eq!(check(&links), Ok(()));
    }
}
