//! `[[providers]]`: the upstream `OpenID` providers that people may sign in with.

use std::path::PathBuf;

use auth::upstream::{Provider, UnknownUsers};
use secrecy::SecretString;
use serde::Deserialize;

use super::{ConfigError, secret};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSection {
    /// In addresses, and known to the provider by way of the redirect URI: `a-z`, `0-9`, `-`.
    pub id: String,
    /// On the button.
    pub name: String,
    /// A PNG or SVG of at most 64 KiB.
    pub icon_file: Option<PathBuf>,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    pub client_secret_file: Option<PathBuf>,
    pub scopes: Option<Vec<String>>,
    /// Whether people get an account who have none.
    pub new_accounts: Option<bool>,
}

/// What the configuration says of one provider besides what [`auth`] needs.
#[derive(Clone, Debug)]
pub struct Icon {
    pub provider: String,
    pub kind: &'static str,
    pub bytes: bytes::Bytes,
}

/// Decided: the providers and their pictures.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    pub list: Vec<Provider>,
    pub icons: Vec<Icon>,
}

const MOST_ICON: usize = 64 * 1024;

/// `public_url` is where providers send people back to. Addresses that the system chose (port 0) come later: see
/// [`Providers::reached_at`].
pub(super) fn decide(
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
            return Err(bad("the id has 1 to 32 of a-z, 0-9 and -."));
        }
        if providers.list.iter().any(|other| other.id == id) {
            return Err(bad("the id is there twice."));
        }
        if !is_safe_issuer(&section.issuer) {
            return Err(bad(
                "the issuer is an https:// address without query (http:// on loopback only).",
            ));
        }
        if let Some(path) = &section.icon_file {
            providers
                .icons
                .push(read_icon(&id, path).map_err(|what| bad(&what))?);
        }
        providers.list.push(provider(section, public_url)?);
    }
    Ok(providers)
}

fn provider(section: ProviderSection, public_url: &str) -> Result<Provider, ConfigError> {
    let strangers = if section.new_accounts == Some(true) {
        UnknownUsers::Provision
    } else {
        UnknownUsers::Reject
    };
    Ok(Provider {
        redirect_uri: redirect_uri(public_url, &section.id),
        name: section.name,
        issuer: section.issuer,
        client_id: section.client_id,
        client_secret: secret(section.client_secret, section.client_secret_file.as_deref())?,
        scopes: section
            .scopes
            .unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]),
        unknown_users: strangers,
        id: section.id,
    })
}

fn redirect_uri(public_url: &str, id: &str) -> String {
    format!("{public_url}/auth/oidc/{id}/callback")
}

/// `OpenID` Connect Core §2: https, no query or fragment.
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
        _ => return Err("the icon_file is a .png or .svg.".to_owned()),
    };
    if bytes.len() > MOST_ICON {
        return Err("the icon_file has at most 64 KiB.".to_owned());
    }
    Ok(Icon {
        provider: provider.to_owned(),
        kind,
        bytes: bytes.into(),
    })
}

impl Providers {
    /// With the address that people use.
    #[must_use]
    pub fn reached_at(mut self, public_url: &str) -> Self {
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

    fn decided(toml: &str) -> Result<Providers, ConfigError> {
        let partial: crate::Partial = toml::from_str(toml).unwrap();
        decide(partial.providers.unwrap(), "https://files.example")
    }

    #[test]
    fn provider_callback_uses_public_url_and_hides_secret() {
        let toml = "[[providers]]\nid = \"work\"\nname = \"Work\"\nissuer = \"https://id.example\"\n\
            client_id = \"x\"\nclient_secret = \"hunter2\"";
        let providers = decided(toml).unwrap();
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
            assert!(decided(&toml).is_err(), "{toml}");
        }
    }
}
