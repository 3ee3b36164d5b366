//! Which database, read from its URL.

use std::{fmt, path::PathBuf};

/// Where the rows are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// One file, for one node.
    Sqlite(PathBuf),
    /// A `postgres://` URL, which may hold a password: it never prints.
    Postgres(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The database URL begins with sqlite:// or postgres://, as in sqlite:///var/lib/strongroom/strongroom.db")]
pub struct BadDatabaseUrl;

impl Database {
    /// Takes `sqlite:///absolute/path`, `sqlite://relative/path`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// [`BadDatabaseUrl`] for anything else; it does not repeat the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self, BadDatabaseUrl> {
        match url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(Self::Postgres(url.to_owned())),
            _ => Err(BadDatabaseUrl),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            // Host and database name come after the last `@`; parameters may hold a password as well.
            Self::Postgres(url) => {
                let place = url.rsplit_once('@').or_else(|| url.split_once("://")).map_or("", |(_, place)| place);
                write!(f, "postgres://{}", place.split('?').next().unwrap_or_default())
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
    fn a_url_names_one_of_two_engines() {
        assert_eq!(Database::parse("sqlite:///a/b.db"), Ok(Database::Sqlite("/a/b.db".into())));
        assert!(matches!(Database::parse("postgresql://h/d"), Ok(Database::Postgres(_))));
        for bad in ["", "sqlite://", "mysql://h/d", "/a/b.db", "postgres://"] {
            assert_eq!(Database::parse(bad), Err(BadDatabaseUrl), "{bad}");
        }
    }

    #[test]
    fn a_password_in_the_url_never_prints() {
        for url in ["postgres://ada:hunter@2@db/vault?x=1", "postgres://db/vault?user=ada&password=hunter"] {
            let database = Database::parse(url).unwrap();
            let printed = format!("{database} {database:?}");
            assert!(printed.contains("db/vault") && !printed.contains("hunter"), "{printed}");
        }
    }
}
