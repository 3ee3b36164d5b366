//! `[[clients]]`: programs that may ask people for access, besides our own command line.

use auth::{Client, Clients};
use serde::Deserialize;

use super::ConfigError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSection {
    /// `client_id`: `a-z`, `0-9`, `-`, `.`, `_`.
    pub id: String,
    /// What people read when it asks.
    pub name: String,
    /// Where codes may be sent: `https://…`, `http://127.0.0.1/…` (any port), or a scheme of its own with a dot.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

pub(super) fn decide(sections: Vec<ClientSection>) -> Result<Clients, ConfigError> {
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
    use super::super::Partial;

    #[test]
    fn invalid_or_duplicate_oauth_client_is_rejected() {
        let toml =
            "[[clients]]\nid = \"cam\"\nname = \"CAM\"\nredirect_uris = [\"javascript:alert(1)\"]";
        let refused = toml::from_str::<Partial>(toml)
            .unwrap()
            .decide()
            .unwrap_err()
            .0;
        assert!(
            refused.contains("\"cam\"") && refused.contains("javascript:alert(1)"),
            "{refused}"
        );
        let twice =
            "[[clients]]\nid = \"cam\"\nname = \"A\"\n[[clients]]\nid = \"cam\"\nname = \"B\"";
        assert!(toml::from_str::<Partial>(twice).unwrap().decide().is_err());
        assert!(toml::from_str::<Partial>("[[clients]]\nid = \"cam\"\nsecret = \"x\"").is_err());
    }
}
