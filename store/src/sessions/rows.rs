//! The row of a session.

use std::sync::Arc;

use auth::{
    AuthMethods, Origin, RealmId, Scopes, Session, SessionId, SessionKind,
    session::model::Persistence,
};
use jiff::Timestamp;

use crate::{
    accounts,
    connection::Connection,
    error::DbError,
    json_rows,
    value::{Row, params},
};

pub(crate) const COLUMNS: &str = "session_id, username, kind, auth_time, last_seen, expires_at,
    address, user_agent, ended_at, methods, grants, realms, label, client, started_at, persistent";

pub(crate) fn read(row: &mut Row) -> Result<Session, DbError> {
    let session = read_first(row)?;
    Ok(Session {
        started_at: row.opt_time()?.unwrap_or(session.auth_time),
        persistence: if row.boolean()? {
            Persistence::Persistent
        } else {
            Persistence::Transient
        },
        ..session
    })
}

/// All but the columns that were added last.
fn read_first(row: &mut Row) -> Result<Session, DbError> {
    Ok(Session {
        started_at: Timestamp::UNIX_EPOCH,
        persistence: Persistence::Persistent,
        id: SessionId::new(&row.text()?),
        username: accounts::username(&row.text()?)?,
        kind: kind(&row.text()?)?,
        auth_time: row.time()?,
        last_seen: row.time()?,
        expires_at: row.time()?,
        origin: Origin {
            address: row
                .text()?
                .parse()
                .map_err(|_| DbError::corrupt("stored IP address is invalid"))?,
            user_agent: row.opt_text()?,
            device: None,
        },
        ended_at: row.opt_time()?,
        methods: AuthMethods::parse(&row.text()?),
        scopes: Scopes::parse(&row.text()?)
            .map_err(|_| DbError::corrupt("stored scope is invalid"))?,
        realms: row.opt_text()?.map(|json| realms(&json)).transpose()?,
        label: row.opt_text()?,
        client: row.opt_text()?,
    })
}

fn kind(raw: &str) -> Result<SessionKind, DbError> {
    match raw {
        "web" => Ok(SessionKind::Web),
        "tokens" => Ok(SessionKind::OAuth),
        "personal" => Ok(SessionKind::Personal),
        _ => Err(DbError::corrupt("stored session kind is unknown")),
    }
}

fn realms(json: &str) -> Result<Arc<[RealmId]>, DbError> {
    let ids: Vec<String> = json_rows::read(json)?;
    Ok(ids.iter().map(|id| RealmId::new(id)).collect())
}

pub(super) fn realms_json(session: &Session) -> Result<Option<String>, DbError> {
    let ids = |realms: &Arc<[RealmId]>| {
        realms
            .iter()
            .map(|id| id.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    session
        .realms
        .as_ref()
        .map(|realms| json_rows::write(&ids(realms)))
        .transpose()
}

pub(crate) async fn find(db: &mut Connection, id: &SessionId) -> Result<Option<Session>, DbError> {
    let select = format!("SELECT {COLUMNS} FROM sessions WHERE session_id = $1");
    db.find(&select, params![id.as_str()])
        .await?
        .map(|mut row| read(&mut row))
        .transpose()
}
