//! `[mail]`: how letters leave the house, if they do.

use std::{net::IpAddr, path::PathBuf};

use lettre::message::Mailbox;
use secrecy::SecretString;
use serde::Deserialize;

use super::{ConfigError, secret};

/// A folder, or a host with what it wants to be told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSection {
    /// Letters become `.eml` files in this folder: for development.
    pub folder: Option<PathBuf>,
    /// The SMTP server that takes letters.
    pub host: Option<String>,
    /// 587, or 465 with `tls = "implicit"`, or 25 without TLS.
    pub port: Option<u16>,
    /// `starttls` unless said otherwise; `none` is for a server on this machine.
    pub tls: Option<Tls>,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    pub password_file: Option<PathBuf>,
    /// `Strongroom <strongroom@example.org>`.
    pub from: Option<String>,
    /// Of a server with a certificate of its own making: PEM.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// RFC 3207, and no letter without it.
    StartTls,
    /// RFC 8314 §3.
    Implicit,
    None,
}

/// Decided.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: Mailbox,
    pub way: Way,
}

#[derive(Clone, Debug)]
pub enum Way {
    Folder(PathBuf),
    Smtp(Smtp),
}

#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub credentials: Option<(String, SecretString)>,
    /// PEM.
    pub ca: Option<Vec<u8>>,
}

impl MailSection {
    /// # Errors
    /// A sentence that says what to write where. Letters with links need a `public_url` that was said.
    pub(super) fn decide(self, public_url: Option<&str>) -> Result<Mail, ConfigError> {
        let wrong = |sentence: &str| Err(ConfigError(sentence.to_owned()));
        let from = self.from.as_deref().map(sender).transpose()?;
        match (self.folder.clone(), self.host.clone()) {
            (Some(_), Some(_)) => {
                wrong("mail.folder and mail.host exclude each other: letters go one way.")
            }
            (None, None) => {
                wrong("mail needs mail.host, or mail.folder to look at letters as files.")
            }
            (Some(folder), None) => {
                let from = from.map_or_else(|| sender("Strongroom <strongroom@localhost>"), Ok)?;
                Ok(Mail {
                    from,
                    way: Way::Folder(folder),
                })
            }
            (None, Some(host)) => {
                if public_url.is_none() {
                    return wrong(
                        "mail.host needs public_url: letters hold links, and those lead there.",
                    );
                }
                let Some(from) = from else {
                    return wrong(
                        "mail.host needs mail.from, as in \"Strongroom <strongroom@example.org>\".",
                    );
                };
                Ok(Mail {
                    from,
                    way: Way::Smtp(self.smtp(host)?),
                })
            }
        }
    }

    fn smtp(self, host: String) -> Result<Smtp, ConfigError> {
        let here = is_this_machine(&host);
        let tls = self
            .tls
            .unwrap_or(if here { Tls::None } else { Tls::StartTls });
        if tls == Tls::None && !here {
            return Err(ConfigError(format!(
                "mail.tls = \"none\" would send links that set passwords in the clear to {host}; it is for a server on \
                 this machine. Use \"starttls\" or \"implicit\"."
            )));
        }
        let port = self.port.unwrap_or(match tls {
            Tls::StartTls => 587,
            Tls::Implicit => 465,
            Tls::None => 25,
        });
        let password = secret(self.password, self.password_file.as_deref())?;
        let credentials = match (self.username, password) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            _ => {
                return Err(ConfigError(
                    "mail.username and mail.password (or mail.password_file) go together.".into(),
                ));
            }
        };
        let read = |path: &PathBuf| {
            std::fs::read(path)
                .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))
        };
        Ok(Smtp {
            host,
            port,
            tls,
            credentials,
            ca: self.ca_file.as_ref().map(read).transpose()?,
        })
    }
}

fn sender(raw: &str) -> Result<Mailbox, ConfigError> {
    raw.parse()
        .map_err(|_| ConfigError(format!("mail.from is no e-mail address: \"{raw}\"")))
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(toml: &str, public_url: Option<&str>) -> Result<Mail, ConfigError> {
        toml::from_str::<MailSection>(toml)
            .unwrap()
            .decide(public_url)
    }

    const URL: Option<&str> = Some("https://files.example");

    #[test]
    fn plaintext_smtp_is_allowed_on_loopback_only() {
        let clear = "host = \"mail.example\"\ntls = \"none\"\nfrom = \"a@mail.example\"";
        assert!(decide(clear, URL).unwrap_err().0.contains("starttls"));
        let decided = decide("host = \"mail.example\"\nfrom = \"a@mail.example\"", URL).unwrap();
        let Way::Smtp(smtp) = decided.way else {
            panic!("no folder was named")
        };
        assert_eq!((smtp.tls, smtp.port), (Tls::StartTls, 587));
        let decided = decide("host = \"127.0.0.1\"\nfrom = \"a@mail.example\"", URL).unwrap();
        let Way::Smtp(smtp) = decided.way else {
            panic!("no folder was named")
        };
        assert_eq!((smtp.tls, smtp.port), (Tls::None, 25));
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
            let refused = decide(toml, url).unwrap_err().0;
            assert!(refused.contains(word), "{refused}");
        }
        assert!(toml::from_str::<MailSection>("hots = \"mail.example\"").is_err());
    }

    #[test]
    fn smtp_password_is_not_printed() {
        let toml = "host = \"localhost\"\nfrom = \"a@b.example\"\nusername = \"a\"\npassword = \"hunter2 hunter2\"";
        assert!(!format!("{:?}", decide(toml, URL).unwrap()).contains("hunter2"));
    }
}
