//! The choice of database, parsed from its URL.

use std::{fmt, path::PathBuf};

use crate::read_only;
use crate::tls::{ALLOWED_PARAMS, Tls, refuse_unknown, refuse_weak};

/// The database that stores the rows.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// One file, for one node.
    Sqlite(PathBuf),
    /// A `postgres://` URL. It may contain a password, so it is never printed.
    Postgres(String),
}

/// Omits the URL, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDatabaseUrl {
    #[error(
        "The database URL must begin with sqlite:// or postgres://, as in sqlite:///var/lib/strongroom/strongroom.db"
    )]
    Unknown,
    /// Omits the parameter, which may be a password under a misspelt name.
    #[error("The database URL has an unknown parameter. Allowed: {}. Write a ? in a password as %3F.", ALLOWED_PARAMS.join(", "))]
    Parameter,
    #[error(
        "The database is on {host}, and sslmode={mode} does not protect the connection. Set \
         sslmode=verify-full in its URL (and sslrootcert=FILE for a private certificate), or set \
         database_tls = \"url\" (STRONGROOM_DATABASE_TLS=url) if the network is trusted."
    )]
    Weak { host: String, mode: &'static str },
}

impl Database {
    /// Parses `sqlite:///absolute/path`, `sqlite://relative/path`, `postgres://…` or
    /// `postgresql://…`.
    ///
    /// # Errors
    /// [`BadDatabaseUrl`] for anything else, and for a remote PostgreSQL without verified TLS where
    /// `tls` is [`Tls::Verified`].
    pub fn parse(url: &str, tls: Tls) -> Result<Self, BadDatabaseUrl> {
        match url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => {
                refuse_unknown(url)?;
                if tls == Tls::Verified {
                    refuse_weak(url)?;
                }
                Ok(Self::Postgres(url.to_owned()))
            }
            _ => Err(BadDatabaseUrl::Unknown),
        }
    }
}

impl Database {
    /// Whether this process may not write the SQLite file or its folder.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Sqlite(path) => read_only::is_read_only(path),
            Self::Postgres(_) => false,
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            // Host and database name follow the last `@`. Parameters may contain a password too.
            Self::Postgres(url) => {
                let place = url
                    .rsplit_once('@')
                    .or_else(|| url.split_once("://"))
                    .map_or("", |(_, place)| place);
                write!(
                    f,
                    "postgres://{}",
                    place.split('?').next().unwrap_or_default()
                )
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_url_selects_sqlite_or_postgresql() {
        assert_eq!(
            Database::parse("sqlite:///a/b.db", Tls::Verified),
            Ok(Database::Sqlite("/a/b.db".into()))
        );
        assert!(matches!(
            Database::parse("postgresql://h/d", Tls::Verified),
            Ok(Database::Postgres(_))
        ));
        for bad in ["", "sqlite://", "mysql://h/d", "/a/b.db", "postgres://"] {
            assert_eq!(
                Database::parse(bad, Tls::Verified),
                Err(BadDatabaseUrl::Unknown),
                "{bad}"
            );
        }
    }

    #[test]
    fn unknown_database_url_parameter_is_rejected_unprinted() {
        for url in [
            "db/vault?passwrd=hunter2",
            "ada:hun?ter2@db/vault",
            "db/vault?sslmode=disable&x=hunter2",
        ] {
            let refused = Database::parse(&format!("postgres://{url}"), Tls::FromUrl).unwrap_err();
            assert_eq!(refused, BadDatabaseUrl::Parameter, "{url}");
            let printed = format!("{refused} {refused:?}");
            assert!(
                printed.contains("sslmode") && !printed.contains("ter2"),
                "{printed}"
            );
        }
        for url in [
            "db/vault?options[search_path]=a",
            "db/vault?%6fptions=-c%20a%3Db",
            "db/vault?",
        ] {
            assert!(
                Database::parse(&format!("postgres://{url}"), Tls::FromUrl).is_ok(),
                "{url}"
            );
        }
    }

    #[test]
    fn database_url_password_is_not_printed() {
        for url in [
            "postgres://ada:hunter@2@db/vault?application_name=x",
            "postgres://db/vault?user=ada&password=hunter",
        ] {
            let database = Database::parse(url, Tls::Verified).unwrap();
            let printed = format!("{database} {database:?}");
            assert!(
                printed.contains("db/vault") && !printed.contains("hunter"),
                "{printed}"
            );
        }
    }
}
