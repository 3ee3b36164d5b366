//! Where each account was signed in before: which program, from which network.

use auth::{Session, store::Familiarity};

use crate::{connection::Connection, error::DbError, value::params};

/// Places that are remembered of one account: the ones seen last.
const REMEMBERED: u32 = 200;

/// Notes the visit. An account's first place is no news; any later one that is not known is.
pub(crate) async fn visit(db: &mut Connection, session: &Session) -> Result<Familiarity, DbError> {
    const AGAIN: &str = "UPDATE places SET last_at = $4 WHERE username = $1 AND program = $2 AND network = $3";
    const FIRST: &str = "INSERT INTO places (username, program, network, first_at, last_at) VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT DO NOTHING";
    const BOUND: &str = "DELETE FROM places WHERE username = $1 AND (program, network) IN
        (SELECT program, network FROM places WHERE username = $1 ORDER BY last_at DESC, program, network
        LIMIT 1000 OFFSET $2)";
    let (username, origin) = (session.username.as_str(), &session.origin);
    let row = params![username, origin.program(), origin.network(), session.auth_time];
    if db.execute(AGAIN, row).await? > 0 {
        return Ok(Familiarity::Known);
    }
    let elsewhere = db.find("SELECT 1 FROM places WHERE username = $1 LIMIT 1", params![username]).await?;
    db.execute(FIRST, row).await?;
    db.execute(BOUND, params![username, REMEMBERED]).await?;
    Ok(if elsewhere.is_some() { Familiarity::New } else { Familiarity::Known })
}
