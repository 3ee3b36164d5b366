//! The contact for reports of vulnerabilities, for `/.well-known/security.txt` (RFC 9116).

use std::fmt;

use super::ConfigError;

/// A URI: `mailto:`, `tel:` or `https:` (RFC 9116 §2.5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityContact(String);

impl SecurityContact {
    /// `raw` is such a URI, or an e-mail address.
    pub(super) fn parse(raw: &str) -> Result<Self, ConfigError> {
        let raw = raw.trim();
        let is_uri = ["mailto:", "tel:", "https://"].iter().any(|scheme| {
            raw.strip_prefix(scheme)
                .is_some_and(|rest| !rest.is_empty())
        });
        let is_address = !raw.contains(['/', ':'])
            && raw
                .split_once('@')
                .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        let is_one_line = raw.chars().all(|c| c.is_ascii_graphic());
        if is_one_line && is_uri {
            Ok(Self(raw.to_owned()))
        } else if is_one_line && is_address {
            Ok(Self(format!("mailto:{raw}")))
        } else {
            Err(ConfigError(
                "security_contact must be an e-mail address, or begin with mailto:, tel: or https://."
                    .to_owned(),
            ))
        }
    }
}

impl fmt::Display for SecurityContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_contacts_are_uris_or_addresses() {
        for (raw, expected) in [
            ("security@example.org", "mailto:security@example.org"),
            (" mailto:a@b.example ", "mailto:a@b.example"),
            ("https://example.org/report", "https://example.org/report"),
            ("tel:+41-44-555-0100", "tel:+41-44-555-0100"),
        ] {
            assert_eq!(SecurityContact::parse(raw).unwrap().to_string(), expected);
        }
        for raw in [
            "",
            "mailto:",
            "@",
            "call us",
            "http://example.org/",
            "javascript:alert(1)",
            "a@b.example\nCanonical: https://evil.example",
        ] {
            assert_eq!(
                SecurityContact::parse(raw),
                Err(ConfigError(
                    "security_contact must be an e-mail address, or begin with mailto:, tel: or https://."
                        .to_owned()
                )),
                "{raw:?}"
            );
        }
    }
}
