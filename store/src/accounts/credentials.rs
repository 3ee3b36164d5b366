//! Reading password hashes.

use auth::{PasswordHash, Username, store::Credentials};

use super::rows::{COLUMNS, read};
use crate::{
    connection::Connection,
    error::DbError,
    value::{Row, params},
};

pub(crate) async fn credentials(
    db: &mut Connection,
    username: &Username,
) -> Result<Option<Credentials>, DbError> {
    let select = format!("SELECT {COLUMNS}, a.password FROM accounts a WHERE a.username = $1");
    let row = db.find(&select, params![username.as_str()]).await?;
    let read = |mut row: Row| {
        Ok(Credentials {
            account: read(&mut row)?,
            password: PasswordHash::from_stored(&row.text()?),
        })
    };
    row.map(read).transpose()
}

/// One hash of each profile. The first seven characters of a bcrypt hash name its profile. For
/// Argon2id the profile is everything before salt and output, which are 66 characters with our
/// parameters and most others. With other lengths each hash counts as its own profile.
pub(crate) async fn hash_samples(db: &mut Connection) -> Result<Vec<PasswordHash>, DbError> {
    const SELECT: &str =
        "SELECT MIN(password) FROM accounts WHERE standing = 'active' GROUP BY CASE
        WHEN password LIKE $1 THEN substr(password, 1, 7)
        WHEN length(password) > 66 THEN substr(password, 1, length(password) - 66)
        ELSE password END";
    let rows = db.query(SELECT, params!["$2%"]).await?;
    rows.into_iter()
        .map(|mut row| Ok(PasswordHash::from_stored(&row.text()?)))
        .collect()
}
