//! `[[providers]]`: upstream `OpenID` providers for sign-in.

use std::path::PathBuf;

use auth::upstream::{Provider, UnknownUsers};
use secrecy::SecretString;
use serde::Deserialize;

use super::{ConfigError, read_secret};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSection {
    /// Part of URLs, including the redirect URI that is registered with the provider: `a-z`, `0-9`,
    /// `-`.
    pub id: String,
    /// The text of the sign-in button.
    pub name: String,
    /// A PNG or SVG of at most 64 KiB.
    pub icon_file: Option<PathBuf>,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    pub client_secret_file: Option<PathBuf>,
    pub scopes: Option<Vec<String>>,
    /// Whether a first sign-in creates an account.
    pub new_accounts: Option<bool>,
}

/// A provider's icon. [`auth`] needs the other settings, but not this one.
#[derive(Clone, Debug)]
pub struct Icon {
    pub provider: String,
    pub kind: &'static str,
    pub bytes: bytes::Bytes,
}

/// The resolved providers and their icons.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    pub list: Vec<Provider>,
    pub icons: Vec<Icon>,
}

const MAX_ICON_BYTES: usize = 64 * 1024;

/// Resolves the providers. Redirect URIs start with `public_url`. If the system chooses the port
/// (0), [`Providers::with_public_url`] updates them later.
pub(super) fn resolve(
    sections: Vec<ProviderSection>,
    public_url: &str,
) -> Result<Providers, ConfigError> {
    let mut providers = Providers::default();
    for section in sections {
        let id = section.id.clone();
        let bad =
            |what: &str| ConfigError(format!("providers, \"{}\": {what}", id.escape_default()));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=32).contains(&id.len()) || !id.chars().all(plain) {
            return Err(bad("the id must be 1 to 32 characters of a-z, 0-9 and -."));
        }
        if providers.list.iter().any(|other| other.id == id) {
            return Err(bad("the id is used twice."));
        }
        if !is_safe_issuer(&section.issuer) {
            return Err(bad(
                "the issuer must be an https:// URL without query (http:// on loopback only).",
            ));
        }
        if let Some(path) = &section.icon_file {
            providers
                .icons
                .push(read_icon(&id, path).map_err(|what| bad(&what))?);
        }
        providers.list.push(build_provider(section, public_url)?);
    }
    Ok(providers)
}

fn build_provider(section: ProviderSection, public_url: &str) -> Result<Provider, ConfigError> {
    let unknown_users = if section.new_accounts == Some(true) {
        UnknownUsers::Provision
    } else {
        UnknownUsers::Reject
    };
    Ok(Provider {
        redirect_uri: redirect_uri(public_url, &section.id),
        name: section.name,
        issuer: section.issuer,
        client_id: section.client_id,
        client_secret: read_secret(section.client_secret, section.client_secret_file.as_deref())?,
        scopes: section
            .scopes
            .unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]),
        unknown_users,
        id: section.id,
    })
}

fn redirect_uri(public_url: &str, id: &str) -> String {
    format!("{public_url}/auth/oidc/{id}/callback")
}

/// `OpenID` Connect Core §2: https, without query or fragment.
fn is_safe_issuer(issuer: &str) -> bool {
    let loopback = ["http://127.0.0.1", "http://[::1]", "http://localhost"]
        .iter()
        .any(|local| {
            issuer
                .strip_prefix(local)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
    let host = issuer
        .strip_prefix("https://")
        .is_some_and(|host| !host.is_empty() && !host.starts_with('/'));
    (host || loopback) && !issuer.contains(['?', '#', ' ', '@'])
}

fn read_icon(provider: &str, path: &std::path::Path) -> Result<Icon, String> {
    let bytes =
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}.", path.display()))?;
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => return Err("the icon_file must be a .png or .svg.".to_owned()),
    };
    if bytes.len() > MAX_ICON_BYTES {
        return Err("the icon_file must be at most 64 KiB.".to_owned());
    }
    Ok(Icon {
        provider: provider.to_owned(),
        kind,
        bytes: bytes.into(),
    })
}

impl Providers {
    /// Replaces the origin of all redirect URIs with `public_url`.
    #[must_use]
    pub fn with_public_url(mut self, public_url: &str) -> Self {
        for provider in &mut self.list {
            provider.redirect_uri = redirect_uri(public_url, &provider.id);
        }
        self
    }

    #[must_use]
    pub fn icon(&self, provider: &str) -> Option<&Icon> {
        self.icons.iter().find(|icon| icon.provider == provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve_toml(toml: &str) -> Result<Providers, ConfigError> {
        let partial: crate::ConfigSource = toml::from_str(toml).unwrap();
        resolve(partial.providers.unwrap(), "https://files.example")
    }

    #[test]
    fn provider_callback_uses_public_url_and_hides_secret() {
        let toml = "[[providers]]\nid = \"work\"\nname = \"Work\"\nissuer = \"https://id.example\"\n\
            client_id = \"x\"\nclient_secret = \"hunter2\"";
        let providers = resolve_toml(toml).unwrap();
        assert_eq!(
            providers.list[0].redirect_uri,
            "https://files.example/auth/oidc/work/callback"
        );
        assert_eq!(providers.list[0].unknown_users, UnknownUsers::Reject);
        assert!(!format!("{providers:?}").contains("hunter2"));
    }

    #[test]
    fn provider_issuer_requires_https_except_on_loopback() {
        for good in [
            "https://id.example",
            "https://id.example/realms/x",
            "http://127.0.0.1:9",
            "http://localhost",
        ] {
            assert!(is_safe_issuer(good), "{good}");
        }
        for bad in [
            "http://id.example",
            "http://127.0.0.1.evil.example",
            "https://",
            "https:///x",
            "https://a?b",
            "x",
        ] {
            assert!(!is_safe_issuer(bad), "{bad}");
        }
    }

    #[test]
    fn provider_ids_are_plain_and_unique() {
        let one = |id: &str| {
            format!(
                "[[providers]]\nid = \"{id}\"\nname = \"W\"\nissuer = \"https://id.example\"\nclient_id = \"x\"\n"
            )
        };
        for toml in [one("Work"), one("a/b"), one(""), one("a") + &one("a")] {
            let error = resolve_toml(&toml).unwrap_err().0;
            assert!(
                error.contains("provider") && error.contains("id"),
                "{error}"
            );
        }
    }
}
