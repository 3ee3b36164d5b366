//! OAuth clients (RFC 6749 §2): the built-in command line client and the clients that the operator
//! registers.
//!
//! All are public clients without a secret. Registered redirect URIs and PKCE protect them.

use std::net::IpAddr;

use crate::model::visible_text::has_hidden;
use crate::{OAuthError, Scope, Scopes};

/// The built-in command line client.
pub const CLI_CLIENT_ID: &str = "strongroom-cli";
/// `client_id` in access tokens of a session that no client started: the password form of
/// `POST /auth/token`, and the browser (RFC 9068 §2.2 requires the claim).
pub const FIRST_PARTY_CLIENT_ID: &str = "strongroom";
/// Scopes of a client that requests none.
const DEFAULT_SCOPES: [Scope; 3] = [Scope::ReadFiles, Scope::WriteFiles, Scope::OverrideLocks];

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    id: String,
    name: String,
    redirect_uris: Vec<RedirectUri>,
}

/// A registered redirect URI. It matches exactly, except for the port of a loopback address (RFC
/// 8252 §7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
struct RedirectUri(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadClient {
    #[error(
        "A client id must have 1 to 64 of the letters a to z, digits, - . _, and cannot be \"{CLI_CLIENT_ID}\" or \"{FIRST_PARTY_CLIENT_ID}\"."
    )]
    Id,
    #[error("Two clients have the id {0}.")]
    DuplicateId(String),
    #[error("A client name must have 1 to 64 characters and no control characters.")]
    Name,
    #[error(
        "{0} is not a valid redirect_uri. Use https://host/path, http://127.0.0.1/path (any port), or a \
         private scheme with a dot (org.example.app:/path), without fragment or user."
    )]
    RedirectUri(String),
}

impl Client {
    /// # Errors
    /// [`BadClient`].
    pub fn new(id: &str, name: &str, redirects: &[String]) -> Result<Self, BadClient> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
        if !(1..=64).contains(&id.len())
            || !id.chars().all(plain)
            || [CLI_CLIENT_ID, FIRST_PARTY_CLIENT_ID].contains(&id)
        {
            return Err(BadClient::Id);
        }
        if !(1..=64).contains(&name.chars().count()) || has_hidden(name) {
            return Err(BadClient::Name);
        }
        let redirects = redirects
            .iter()
            .map(|raw| RedirectUri::parse(raw))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            redirect_uris: redirects,
        })
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name on the consent page.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the redirect URI is registered.
    pub(crate) fn allows_redirect(&self, uri: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|redirect| redirect.matches(uri))
    }
}

/// All registered clients.
#[derive(Clone, Debug)]
pub struct Clients(Vec<Client>);

impl Default for Clients {
    fn default() -> Self {
        let redirects = ["http://127.0.0.1/callback", "http://[::1]/callback"];
        Self(vec![Client {
            id: CLI_CLIENT_ID.to_owned(),
            name: "Strongroom on the command line".to_owned(),
            redirect_uris: redirects.map(|uri| RedirectUri(uri.to_owned())).to_vec(),
        }])
    }
}

impl Clients {
    /// The command line client and `more`.
    ///
    /// # Errors
    /// [`BadClient::DuplicateId`].
    pub fn register(more: Vec<Client>) -> Result<Self, BadClient> {
        let mut clients = Self::default();
        for client in more {
            if clients.find(&client.id).is_some() {
                return Err(BadClient::DuplicateId(client.id));
            }
            clients.0.push(client);
        }
        Ok(clients)
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Client> {
        self.0.iter().find(|client| client.id == id)
    }
}

impl RedirectUri {
    fn parse(raw: &str) -> Result<Self, BadClient> {
        let invalid =
            || BadClient::RedirectUri(raw.chars().filter(|c| !c.is_control()).take(200).collect());
        let printable = raw.len() <= 1_000
            && raw
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"\"\\#<>^`{|}*".contains(&b));
        let (scheme, rest) = raw
            .split_once(':')
            .filter(|_| printable)
            .ok_or_else(invalid)?;
        let is_allowed = match scheme {
            "https" => host(rest).is_some_and(|(host, _)| !host.is_empty() && !host.contains('@')),
            "http" => host(rest).is_some_and(|(host, _)| is_loopback(host)),
            // RFC 8252 §7.1: a reversed domain name, which excludes the browser's own schemes and
            // those of other programs.
            own => {
                own.contains('.')
                    && own.starts_with(|c: char| c.is_ascii_lowercase())
                    && own.bytes().all(|b| {
                        b.is_ascii_lowercase() || b.is_ascii_digit() || b".-+".contains(&b)
                    })
                    && rest.starts_with('/')
            }
        };
        if is_allowed {
            Ok(Self(raw.to_owned()))
        } else {
            Err(invalid())
        }
    }

    fn matches(&self, uri: &str) -> bool {
        self.0 == uri
            || without_port(&self.0).is_some_and(|registered| without_port(uri) == Some(registered))
    }
}

/// Splits the text after `http:` or `https:` into the host (with port) and the rest.
fn host(rest: &str) -> Option<(&str, &str)> {
    let rest = rest.strip_prefix("//")?;
    Some(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}

fn is_loopback(host: &str) -> bool {
    split_port(host)
        .and_then(|(host, _)| host.parse::<IpAddr>().ok())
        .is_some_and(|host| host.is_loopback())
}

/// Splits a host into the address without brackets and the port part. `None` if the port is
/// invalid.
fn split_port(host: &str) -> Option<(&str, &str)> {
    let (address, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let digits = match port.strip_prefix(':') {
        Some(digits) => digits,
        None if port.is_empty() => "1",
        // Text between the bracket and the path is no port: the host of `[::1]@evil.example` is
        // evil.example.
        None => return None,
    };
    (digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok())
        .then_some((address, port))
}

/// Address and path of a loopback URI, without its port.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let (host, path) = host(uri.strip_prefix("http:")?)?;
    let (address, _) = split_port(host)?;
    is_loopback(host).then_some((address, path))
}

/// Parses the scopes that a client requests. `account` is never delegable.
pub(crate) fn parse_requested_scope(requested: Option<&str>) -> Result<Scopes, OAuthError> {
    let Some(requested) = requested.filter(|requested| !requested.trim().is_empty()) else {
        return Ok(Scopes::of(&DEFAULT_SCOPES));
    };
    let scopes = Scopes::parse(requested).map_err(|_| OAuthError::InvalidScope)?;
    if scopes.is_subset(Scopes::DELEGABLE) {
        Ok(scopes)
    } else {
        Err(OAuthError::InvalidScope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(redirects: &[&str]) -> Result<Client, BadClient> {
        let redirects: Vec<String> = redirects.iter().map(ToString::to_string).collect();
        Client::new("cam", "CAM", &redirects)
    }

    #[test]
    fn client_redirect_uris_outside_its_control_are_rejected() {
        for good in [
            "https://cam.example/back?x=1",
            "http://127.0.0.1/",
            "http://[::1]:81/cb",
            "org.example.cam:/cb",
        ] {
            client(&[good]).unwrap();
        }
        for bad in [
            "http://cam.example/cb",
            "http://localhost.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "cam:/cb",
            "https://user@cam.example/",
            "https:///cb",
            "https://cam.example/#x",
            "https://*.example/",
            "//cam.example",
            "org.example.cam:cb",
            "http://127.0.0.1:x/",
            "http://127.0.0.1@evil.example/",
            "http://[::1]@evil.example/",
            "http://[::1].evil.example/",
            "http://[::1]x/",
            "http://[::1]:1@evil.example/",
            "http://x[::1]/",
            "https://a\nb",
            "",
            "https://é/",
        ] {
            assert!(
                matches!(client(&[bad]), Err(BadClient::RedirectUri(_))),
                "{bad}"
            );
        }
        assert_eq!(Client::new(CLI_CLIENT_ID, "CAM", &[]), Err(BadClient::Id));
        assert_eq!(
            Client::new(FIRST_PARTY_CLIENT_ID, "CAM", &[]),
            Err(BadClient::Id)
        );
        assert!(matches!(
            Clients::register(vec![client(&[]).unwrap(), client(&[]).unwrap()]),
            Err(BadClient::DuplicateId(id)) if id == "cam"
        ));
    }

    #[test]
    fn redirect_uri_matches_exactly_except_loopback_port() {
        let client = client(&[
            "https://cam.example/back",
            "http://127.0.0.1/cb",
            "http://[::1]/v6",
        ])
        .unwrap();
        for good in [
            "https://cam.example/back",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:49152/cb",
            "http://[::1]/v6",
            "http://[::1]:49152/v6",
        ] {
            assert!(client.allows_redirect(good), "{good}");
        }
        for bad in [
            "https://cam.example/back/",
            "https://cam.example/back?x",
            "https://cam.example:443/back",
            "https://CAM.example/back",
            "https://cam.example.evil.example/back",
            "https://cam.example/back/../evil",
            "http://cam.example/back",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.2/cb",
            "http://127.0.0.1/cb#x",
            "http://127.0.0.1/",
            "http://localhost/cb",
            "https://127.0.0.1/cb",
            "http://[::1]/cb",
            "http://[::1]@evil.example/v6",
            "http://[::1]a:b@evil.example:8443/v6",
            "http://[::1]:80@evil.example/v6",
            "http://[::1].evil.example/v6",
            "http://[::1]\r\nx/v6",
            "http://[::1]:/v6",
            "http://[::2]/v6",
            "http://[::ffff:127.0.0.1]@evil.example/v6",
            "",
        ] {
            assert!(!client.allows_redirect(bad), "{bad}");
        }
    }

    #[test]
    fn requested_scope_never_includes_account() {
        assert_eq!(
            parse_requested_scope(None).unwrap().to_string(),
            "files:read files:write locks:override"
        );
        assert_eq!(
            parse_requested_scope(Some("admin")).unwrap().to_string(),
            "admin"
        );
        for rejected in ["files:read account", "everything"] {
            assert!(matches!(
                parse_requested_scope(Some(rejected)),
                Err(OAuthError::InvalidScope)
            ));
        }
    }
}
