//! `[[clients]]`: registered OAuth clients, besides the built-in command line.

use auth::{Client, Clients};
use serde::Deserialize;

use super::ConfigError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSection {
    /// `client_id`: `a-z`, `0-9`, `-`, `.`, `_`.
    pub id: String,
    /// The name shown on the consent page.
    pub name: String,
    /// Redirect URIs: `https://…`, `http://127.0.0.1/…` (any port), or a private scheme that
    /// contains a dot (RFC 8252 §7).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

pub(super) fn resolve(sections: Vec<ClientSection>) -> Result<Clients, ConfigError> {
    let bad = |id: &str, why: auth::BadClient| {
        ConfigError(format!("clients, \"{}\": {why}", id.escape_default()))
    };
    let client = |section: ClientSection| {
        Client::new(&section.id, &section.name, &section.redirect_uris)
            .map_err(|why| bad(&section.id, why))
    };
    let clients = sections.into_iter().map(client).collect::<Result<_, _>>()?;
    Clients::register(clients).map_err(|why| ConfigError(format!("clients: {why}")))
}

#[cfg(test)]
mod tests {
    use crate::config::ConfigSource;

    #[test]
    fn invalid_or_duplicate_oauth_client_is_rejected() {
        let toml =
            "[[clients]]\nid = \"cam\"\nname = \"CAM\"\nredirect_uris = [\"javascript:alert(1)\"]";
        let refused = toml::from_str::<ConfigSource>(toml)
            .unwrap()
            .resolve()
            .unwrap_err()
            .0;
        assert!(
            refused.contains("\"cam\"") && refused.contains("javascript:alert(1)"),
            "{refused}"
        );
        let twice =
            "[[clients]]\nid = \"cam\"\nname = \"A\"\n[[clients]]\nid = \"cam\"\nname = \"B\"";
        let twice: ConfigSource = toml::from_str(twice).unwrap();
        let error = twice.resolve().unwrap_err().0;
        assert!(error.contains("cam"), "{error}");
        let with_secret = "[[clients]]\nid = \"cam\"\nsecret = \"x\"";
        let error = toml::from_str::<ConfigSource>(with_secret).unwrap_err();
        assert!(
            error.message().starts_with("unknown field `secret`"),
            "{error}"
        );
    }
}
