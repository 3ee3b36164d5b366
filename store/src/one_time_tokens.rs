//! One-time tokens: deleted on use or after expiry.

use auth::{
    TokenHash, Username,
    clock::CLOCK_LEEWAY,
    store::{OneTimeKind, OneTimeToken, OneTimeTokenStore, StoreResult},
};
use jiff::Timestamp;

use crate::{
    Store, accounts,
    connection::Connection,
    error::DbError,
    transaction::{read_tx, write_tx},
    value::{Row, Value, params},
};

const COLUMNS: &str = "hash, username, body, created_at, expires_at";

impl OneTimeTokenStore for Store {
    async fn insert_token(&self, token: OneTimeToken) -> StoreResult<()> {
        write_tx!(self, token, insert)
    }

    async fn insert_token_if_absent(&self, token: OneTimeToken) -> StoreResult<bool> {
        write_tx!(self, token, insert_if_absent)
    }

    async fn find_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> StoreResult<Option<OneTimeToken>> {
        read_tx!(
            self,
            Key {
                kind,
                hash: hash.clone(),
                at
            },
            find
        )
    }

    async fn consume_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> StoreResult<Option<OneTimeToken>> {
        write_tx!(
            self,
            Key {
                kind,
                hash: hash.clone(),
                at
            },
            consume
        )
    }

    async fn compare_and_swap_token(
        &self,
        token: &OneTimeToken,
        body: String,
        at: Timestamp,
    ) -> StoreResult<bool> {
        write_tx!(
            self,
            Swap {
                token: token.clone(),
                body,
                at
            },
            compare_and_swap
        )
    }

    async fn list_tokens(
        &self,
        kind: OneTimeKind,
        of: Option<&Username>,
        at: Timestamp,
    ) -> StoreResult<Vec<OneTimeToken>> {
        read_tx!(
            self,
            ListQuery {
                kind,
                of: of.cloned(),
                at
            },
            list
        )
    }

    async fn purge_expired_tokens(&self, before: Timestamp) -> StoreResult<u64> {
        write_tx!(self, before, purge_expired)
    }

    async fn delete_tokens(&self, kind: OneTimeKind, of: &Username) -> StoreResult<u64> {
        write_tx!(self, (kind, of.clone()), delete_all)
    }
}

/// A token that was created further ahead than clocks may differ is none: nothing lives longer than its
/// own lifetime after a clock was set back.
fn latest_start(at: Timestamp) -> Timestamp {
    at.checked_add(CLOCK_LEEWAY).unwrap_or(Timestamp::MAX)
}

const INSERT: &str = "INSERT INTO one_time_tokens (kind, hash, username, body, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";

/// Tokens that an account starts as often as it likes. Beyond this many of a kind, the oldest are
/// deleted.
const MAX_STARTED: u32 = 256;

pub(crate) async fn insert(db: &mut Connection, token: &OneTimeToken) -> Result<(), DbError> {
    db.execute(INSERT, &row_of(token)).await?;
    match &token.username {
        Some(username) if is_started_at_will(token.kind) => {
            delete_oldest(db, token.kind, username).await
        }
        _ => Ok(()),
    }
}

/// The other kinds have limits of their own: pending codes, open invitations, mails.
fn is_started_at_will(kind: OneTimeKind) -> bool {
    matches!(
        kind,
        OneTimeKind::SecondFactor
            | OneTimeKind::Ceremony
            | OneTimeKind::Enrollment
            | OneTimeKind::AuthorizationCode
    )
}

async fn delete_oldest(
    db: &mut Connection,
    kind: OneTimeKind,
    username: &Username,
) -> Result<(), DbError> {
    const DELETE: &str = "DELETE FROM one_time_tokens WHERE kind = $1 AND username = $2 AND hash IN
        (SELECT hash FROM one_time_tokens WHERE kind = $1 AND username = $2
        ORDER BY created_at DESC, hash LIMIT 1000000 OFFSET $3)";
    db.execute(
        DELETE,
        params![kind.as_str(), username.as_str(), MAX_STARTED],
    )
    .await
    .map(drop)
}

async fn insert_if_absent(db: &mut Connection, token: &OneTimeToken) -> Result<bool, DbError> {
    let insert = format!("{INSERT} ON CONFLICT (kind, hash) DO NOTHING");
    Ok(db.execute(&insert, &row_of(token)).await? == 1)
}

fn row_of(token: &OneTimeToken) -> Vec<Value> {
    params![
        token.kind.as_str(),
        token.hash.as_str(),
        token.username.as_ref().map(Username::as_str),
        token.body.as_str(),
        token.created_at,
        token.expires_at,
    ]
    .to_vec()
}

/// One token, by its key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) kind: OneTimeKind,
    pub(crate) hash: TokenHash,
    pub(crate) at: Timestamp,
}

pub(crate) async fn find(db: &mut Connection, one: &Key) -> Result<Option<OneTimeToken>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM one_time_tokens WHERE kind = $1 AND hash = $2 AND expires_at > $3 AND created_at <= $4"
    );
    let row = db
        .find(
            &select,
            params![
                one.kind.as_str(),
                one.hash.as_str(),
                one.at,
                latest_start(one.at)
            ],
        )
        .await?;
    row.map(|mut row| parse(one.kind, &mut row)).transpose()
}

/// Locks the token until the commit; returns whether it exists.
pub(crate) async fn lock_row(db: &mut Connection, one: &Key) -> Result<bool, DbError> {
    const SELECT: &str = "SELECT 1 FROM one_time_tokens WHERE kind = $1 AND hash = $2 AND expires_at > $3 AND created_at <= $4 FOR UPDATE";
    Ok(db
        .find(
            SELECT,
            params![
                one.kind.as_str(),
                one.hash.as_str(),
                one.at,
                latest_start(one.at)
            ],
        )
        .await?
        .is_some())
}

/// For transactions that do more than consume it.
pub(crate) async fn consume(
    db: &mut Connection,
    one: &Key,
) -> Result<Option<OneTimeToken>, DbError> {
    let delete = format!(
        "DELETE FROM one_time_tokens WHERE kind = $1 AND hash = $2 AND expires_at > $3 AND created_at <= $4 RETURNING {COLUMNS}"
    );
    let row = db
        .find(
            &delete,
            params![
                one.kind.as_str(),
                one.hash.as_str(),
                one.at,
                latest_start(one.at)
            ],
        )
        .await?;
    row.map(|mut row| parse(one.kind, &mut row)).transpose()
}

#[derive(Debug)]
struct Swap {
    token: OneTimeToken,
    body: String,
    at: Timestamp,
}

async fn compare_and_swap(db: &mut Connection, revise: &Swap) -> Result<bool, DbError> {
    const SWAP: &str = "UPDATE one_time_tokens SET body = $4 WHERE kind = $1 AND hash = $2 AND body = $3 AND expires_at > $5 AND created_at <= $6";
    let token = &revise.token;
    let row = params![
        token.kind.as_str(),
        token.hash.as_str(),
        token.body.as_str(),
        revise.body.as_str(),
        revise.at,
        latest_start(revise.at)
    ];
    Ok(db.execute(SWAP, row).await? == 1)
}

#[derive(Debug)]
struct ListQuery {
    kind: OneTimeKind,
    of: Option<Username>,
    at: Timestamp,
}

async fn list(db: &mut Connection, many: &ListQuery) -> Result<Vec<OneTimeToken>, DbError> {
    let whose = if many.of.is_some() {
        "username = $3"
    } else {
        "$3 = ''"
    };
    let select = format!(
        "SELECT {COLUMNS} FROM one_time_tokens WHERE kind = $1 AND expires_at > $2 AND created_at <= $4 AND {whose}
        ORDER BY created_at DESC, hash LIMIT 10000"
    );
    let of = many.of.as_ref().map_or("", Username::as_str);
    let rows = db
        .query(
            &select,
            params![many.kind.as_str(), many.at, of, latest_start(many.at)],
        )
        .await?;
    rows.into_iter()
        .map(|mut row| parse(many.kind, &mut row))
        .collect()
}

/// The creation time of the newest live token.
pub(crate) async fn newest(
    db: &mut Connection,
    kind: OneTimeKind,
    of: &Username,
    at: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const NEWEST: &str =
        "SELECT created_at FROM one_time_tokens WHERE kind = $1 AND username = $2 AND expires_at > $3 AND created_at <= $4
        ORDER BY created_at DESC LIMIT 1";
    let row = db
        .find(
            NEWEST,
            params![kind.as_str(), of.as_str(), at, latest_start(at)],
        )
        .await?;
    row.map(|mut row| row.time()).transpose()
}

pub(crate) async fn delete_all(
    db: &mut Connection,
    (kind, of): &(OneTimeKind, Username),
) -> Result<u64, DbError> {
    db.execute(
        "DELETE FROM one_time_tokens WHERE kind = $1 AND username = $2",
        params![kind.as_str(), of.as_str()],
    )
    .await
}

/// Consumes all tokens of an account, or with `None` of every account.
pub(crate) async fn consume_all(
    db: &mut Connection,
    kind: OneTimeKind,
    of: Option<&Username>,
) -> Result<Vec<OneTimeToken>, DbError> {
    let whose = if of.is_some() {
        "username = $2"
    } else {
        "username <> $2"
    };
    let delete =
        format!("DELETE FROM one_time_tokens WHERE kind = $1 AND {whose} RETURNING {COLUMNS}");
    let rows = db
        .query(
            &delete,
            params![kind.as_str(), of.map_or("", Username::as_str)],
        )
        .await?;
    rows.into_iter()
        .map(|mut row| parse(kind, &mut row))
        .collect()
}

async fn purge_expired(db: &mut Connection, before: &Timestamp) -> Result<u64, DbError> {
    const FORGET: &str = "DELETE FROM one_time_tokens WHERE (kind, hash) IN
        (SELECT kind, hash FROM one_time_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT 500)";
    db.execute(FORGET, params![*before]).await
}

fn parse(kind: OneTimeKind, row: &mut Row) -> Result<OneTimeToken, DbError> {
    Ok(OneTimeToken {
        kind,
        hash: TokenHash::new(&row.text()?),
        username: row
            .opt_text()?
            .map(|raw| accounts::username(&raw))
            .transpose()?,
        body: row.text()?,
        created_at: row.time()?,
        expires_at: row.time()?,
    })
}
