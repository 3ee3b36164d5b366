//! `[mail]`: how mail is sent. Without it the installation sends no mail.

use std::{net::IpAddr, path::PathBuf};

use lettre::message::Mailbox;
use secrecy::SecretString;
use serde::Deserialize;

use super::{ConfigError, read_secret};

/// Either a folder, or an SMTP host with its credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSection {
    /// Mails are written to this folder as `.eml` files, for development.
    pub folder: Option<PathBuf>,
    /// Host name of the SMTP server.
    pub host: Option<String>,
    /// 587, or 465 with `tls = "implicit"`, or 25 without TLS.
    pub port: Option<u16>,
    /// Default: `starttls`. `none` is only for a server on this machine.
    pub tls: Option<MailTls>,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    pub password_file: Option<PathBuf>,
    /// `Strongroom <strongroom@example.org>`.
    pub from: Option<String>,
    /// PEM file with the CA certificate of a server that uses a private CA.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// RFC 3207. Mail is not sent if the server does not offer it.
    StartTls,
    /// RFC 8314 §3.
    Implicit,
    None,
}

/// The resolved settings.
#[derive(Clone, Debug)]
pub struct MailConfig {
    pub from: Mailbox,
    pub transport: MailTransport,
}

#[derive(Clone, Debug)]
pub enum MailTransport {
    Folder(PathBuf),
    Smtp(SmtpConfig),
}

#[derive(Clone, Debug)]
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    pub credentials: Option<(String, SecretString)>,
    /// PEM.
    pub ca_pem: Option<Vec<u8>>,
}

impl MailSection {
    /// # Errors
    /// A message that names the key to change. Mails contain links, so they require an explicit
    /// `public_url`.
    pub(super) fn resolve(self, public_url: Option<&str>) -> Result<MailConfig, ConfigError> {
        let error = |sentence: &str| Err(ConfigError(sentence.to_owned()));
        let from = self.from.as_deref().map(parse_sender).transpose()?;
        match (self.folder.clone(), self.host.clone()) {
            (Some(_), Some(_)) => {
                error("mail.folder and mail.host exclude each other; set only one of them.")
            }
            (None, None) => error("mail needs mail.host, or mail.folder to write mails to files."),
            (Some(folder), None) => {
                let from =
                    from.map_or_else(|| parse_sender("Strongroom <strongroom@localhost>"), Ok)?;
                Ok(MailConfig {
                    from,
                    transport: MailTransport::Folder(folder),
                })
            }
            (None, Some(host)) => {
                if public_url.is_none() {
                    return error("mail.host needs public_url, because mails contain links to it.");
                }
                let Some(from) = from else {
                    return error(
                        "mail.host needs mail.from, as in \"Strongroom <strongroom@example.org>\".",
                    );
                };
                Ok(MailConfig {
                    from,
                    transport: MailTransport::Smtp(self.smtp_config(host)?),
                })
            }
        }
    }

    fn smtp_config(self, host: String) -> Result<SmtpConfig, ConfigError> {
        let is_local = is_loopback_host(&host);
        let tls = self.tls.unwrap_or(if is_local {
            MailTls::None
        } else {
            MailTls::StartTls
        });
        if tls == MailTls::None && !is_local {
            return Err(ConfigError(format!(
                "mail.tls = \"none\" would send password reset links unencrypted to {host}; it is only for a server on \
                 this machine. Use \"starttls\" or \"implicit\"."
            )));
        }
        let port = self.port.unwrap_or(match tls {
            MailTls::StartTls => 587,
            MailTls::Implicit => 465,
            MailTls::None => 25,
        });
        let password = read_secret(self.password, self.password_file.as_deref())?;
        let credentials = match (self.username, password) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            _ => {
                return Err(ConfigError(
                    "mail.username and mail.password (or mail.password_file) must be set together."
                        .into(),
                ));
            }
        };
        let read = |path: &PathBuf| {
            std::fs::read(path)
                .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))
        };
        Ok(SmtpConfig {
            host,
            port,
            tls,
            credentials,
            ca_pem: self.ca_file.as_ref().map(read).transpose()?,
        })
    }
}

fn parse_sender(raw: &str) -> Result<Mailbox, ConfigError> {
    raw.parse()
        .map_err(|_| ConfigError(format!("mail.from is not an e-mail address: \"{raw}\"")))
}

fn is_loopback_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(toml: &str, public_url: Option<&str>) -> Result<MailConfig, ConfigError> {
        toml::from_str::<MailSection>(toml)
            .unwrap()
            .resolve(public_url)
    }

    const URL: Option<&str> = Some("https://files.example");

    #[test]
    fn plaintext_smtp_is_allowed_on_loopback_only() {
        let clear = "host = \"mail.example\"\ntls = \"none\"\nfrom = \"a@mail.example\"";
        assert!(resolve(clear, URL).unwrap_err().0.contains("starttls"));
        let decided = resolve("host = \"mail.example\"\nfrom = \"a@mail.example\"", URL).unwrap();
        let MailTransport::Smtp(smtp) = decided.transport else {
            panic!("no folder was named")
        };
        assert_eq!((smtp.tls, smtp.port), (MailTls::StartTls, 587));
        let decided = resolve("host = \"127.0.0.1\"\nfrom = \"a@mail.example\"", URL).unwrap();
        let MailTransport::Smtp(smtp) = decided.transport else {
            panic!("no folder was named")
        };
        assert_eq!((smtp.tls, smtp.port), (MailTls::None, 25));
    }

    #[test]
    fn incomplete_mail_settings_error_names_the_key() {
        for (toml, url, word) in [
            ("", URL, "mail.host"),
            ("folder = \"a\"\nhost = \"b\"", URL, "exclude"),
            (
                "host = \"mail.example\"\nfrom = \"a@mail.example\"",
                None,
                "public_url",
            ),
            ("host = \"mail.example\"", URL, "mail.from"),
            (
                "host = \"mail.example\"\nfrom = \"nobody\"",
                URL,
                "mail.from",
            ),
            (
                "host = \"mail.example\"\nfrom = \"a@mail.example\"\nusername = \"a\"",
                URL,
                "mail.password",
            ),
        ] {
            let refused = resolve(toml, url).unwrap_err().0;
            assert!(refused.contains(word), "{refused}");
        }
        let error = toml::from_str::<MailSection>("hots = \"mail.example\"").unwrap_err();
        assert!(
            error.message().starts_with("unknown field `hots`"),
            "{error}"
        );
    }

    #[test]
    fn smtp_password_is_not_printed() {
        let toml = "host = \"localhost\"\nfrom = \"a@b.example\"\nusername = \"a\"\npassword = \"hunter2 hunter2\"";
        assert!(!format!("{:?}", resolve(toml, URL).unwrap()).contains("hunter2"));
    }
}
