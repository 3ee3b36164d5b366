//! The connection to PostgreSQL. To another machine it is encrypted, and the certificate must match
//! the host. It carries all stored data, and the password.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::{BadDatabaseUrl, error::DbError};

/// The TLS requirement for a PostgreSQL on another machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS with a certificate for its name: `verify-full`, explicit or by default.
    Verified,
    /// The URL's `sslmode`; by default `verify-full`.
    FromUrl,
}

/// Connection options. Without an `sslmode`, the strictest applies, except on this machine.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, DbError> {
    let options: PgConnectOptions = url.parse()?;
    let stays = is_local(&options) || names_ssl_mode(url);
    Ok(if stays {
        options
    } else {
        options.ssl_mode(PgSslMode::VerifyFull)
    })
}

/// Rejects a URL that would connect to another machine without TLS, or without verifying the host.
pub(crate) fn refuse_weak(url: &str) -> Result<(), BadDatabaseUrl> {
    // A URL that cannot be parsed is reported when the database is opened.
    let Ok(options) = options(url) else {
        return Ok(());
    };
    let mode = match options.get_ssl_mode() {
        PgSslMode::VerifyFull => return Ok(()),
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        // sqlx accepts any certificate here …
        PgSslMode::Require => "require",
        // … and here one of any name, by any authority that browsers trust.
        PgSslMode::VerifyCa => "verify-ca",
    };
    if is_local(&options) {
        return Ok(());
    }
    Err(BadDatabaseUrl::Weak {
        host: options.get_host().to_owned(),
        mode,
    })
}

/// The query parameters that sqlx reads, each once. Of their aliases, the hyphenated ones are
/// accepted too.
pub(crate) const ALLOWED_PARAMS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];
const ALIASED_PARAMS: [&str; 6] = [
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "statement-cache-capacity",
];

/// sqlx only warns about unknown parameters, and prints their values, which may be a password.
pub(crate) fn refuse_unknown(url: &str) -> Result<(), BadDatabaseUrl> {
    let is_known = |name: &str| {
        ALLOWED_PARAMS.contains(&name)
            || ALIASED_PARAMS.contains(&name)
            || (name.starts_with("options[") && name.ends_with(']'))
    };
    let all_known = form_urlencoded::parse(query(url).as_bytes()).all(|(name, _)| is_known(&name));
    if all_known {
        Ok(())
    } else {
        Err(BadDatabaseUrl::Parameter)
    }
}

/// A socket, or a loopback address.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

fn names_ssl_mode(url: &str) -> bool {
    form_urlencoded::parse(query(url).as_bytes())
        .any(|(name, _)| matches!(&*name, "sslmode" | "ssl-mode"))
}

fn query(url: &str) -> &str {
    let before_fragment = url.split('#').next().unwrap_or_default();
    before_fragment
        .split_once('?')
        .map_or("", |(_, query)| query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Database;

    #[test]
    fn remote_database_requires_verified_tls_unless_overridden() {
        for (place, weak) in [
            ("db.example/files", None),
            ("10.0.0.7/files", None),
            ("db.example/files?sslmode=verify-full", None),
            (
                "db.example/files?ssl-mode=VERIFY-FULL&sslrootcert=/etc/ca.pem",
                None,
            ),
            ("db.example/files?application_name=a", None),
            ("db.example/files?application_name=sslmode%3Ddisable", None),
            ("db.example/files#?sslmode=disable", None),
            ("db.example/files?sslmode=disable", Some("disable")),
            ("db.example/files?sslmode=allow", Some("allow")),
            ("db.example/files?sslmode=PREFER", Some("prefer")),
            ("db.example/files?ssl%6Dode=disable", Some("disable")),
            (
                "db.example/files?sslmode=verify-full&sslmode=disable",
                Some("disable"),
            ),
            ("db.example/files?sslmode=require", Some("require")),
            ("db.example/files?sslmode=verify-ca", Some("verify-ca")),
            (
                "localhost/files?host=db.example&sslmode=disable",
                Some("disable"),
            ),
            ("localhost.example/files?sslmode=disable", Some("disable")),
        ] {
            let url = format!("postgres://ada:hunter2@{place}");
            let parsed = Database::parse(&url, Tls::Verified);
            match weak {
                None => {
                    assert!(parsed.is_ok(), "{place}");
                    assert!(
                        matches!(options(&url).unwrap().get_ssl_mode(), PgSslMode::VerifyFull),
                        "{place}"
                    );
                }
                Some(mode) => {
                    let refused = parsed.unwrap_err().to_string();
                    assert!(refused.contains(&format!("sslmode={mode}")), "{refused}");
                    assert!(
                        refused.contains("database_tls") && !refused.contains("hunter2"),
                        "{refused}"
                    );
                    assert!(Database::parse(&url, Tls::FromUrl).is_ok(), "{place}");
                }
            }
        }
    }

    #[test]
    fn local_database_tls_follows_the_url() {
        for place in [
            "localhost/files",
            "127.0.0.1/files",
            "[::1]:5433/files",
            "%2Frun%2Fpostgresql/files",
        ] {
            for mode in ["", "?sslmode=disable", "?sslmode=require"] {
                assert!(
                    Database::parse(&format!("postgres://{place}{mode}"), Tls::Verified).is_ok(),
                    "{place}{mode}"
                );
            }
        }
        let socket = "postgres://ignored/files?host=/run/postgresql&sslmode=disable";
        assert!(Database::parse(socket, Tls::Verified).is_ok());
    }
}
