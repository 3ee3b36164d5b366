//! Consecutive failures, and the sources that accounts signed in from.

use auth::{
    Actor, Session, Username,
    audit::{AuditAction, NewAuditEntry},
    clock::CLOCK_LEEWAY,
    store::{
        AttemptSource, Bucket, Charge, FailureCount, LockoutQuery, PurgeCutoffs, StoreResult,
        ThrottleQuery, ThrottleState, ThrottleStore, ThrottleTarget,
    },
    throttle::CredentialKind,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Store, accounts, audit,
    connection::Connection,
    error::DbError,
    transaction::{read_tx, write_tx},
    value::{Row, Value, params},
};

const COLUMNS: &str = "who, what, place, failures, last_at, paid_off_at";
/// 50 sources per account, the last used ones; older ones are deleted.
const MAX_SOURCES: u32 = 50;
/// The resolution of a source's last use.
const SEEN_GRANULARITY: SignedDuration = SignedDuration::from_hours(24);

impl ThrottleStore for Store {
    async fn throttles(&self, inquiry: ThrottleQuery) -> StoreResult<ThrottleState> {
        read_tx!(self, inquiry, find)
    }

    async fn record_failures(
        &self,
        charges: Vec<Charge>,
        at: Timestamp,
    ) -> StoreResult<Vec<FailureCount>> {
        write_tx!(self, (charges, at), charge)
    }

    async fn reset_count(&self, bucket: Bucket) -> StoreResult<()> {
        write_tx!(self, bucket, reset)
    }

    async fn reset_counts(&self, username: &Username, secret: CredentialKind) -> StoreResult<()> {
        write_tx!(self, (username.clone(), secret), reset_all)
    }

    async fn lockouts(&self, what: LockoutQuery) -> StoreResult<Vec<FailureCount>> {
        read_tx!(self, what, list_lockouts)
    }

    async fn lift(&self, target: ThrottleTarget, by: Actor, at: Timestamp) -> StoreResult<u64> {
        write_tx!(self, Lift { target, by, at }, lift)
    }

    async fn purge_throttles(&self, what: PurgeCutoffs) -> StoreResult<u64> {
        let mut forgotten = 0;
        loop {
            // Small steps, so that no sign-in waits for the whole purge.
            let some: StoreResult<u64> = write_tx!(self, what, purge);
            match some? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }
}

/// One statement for any query, because it precedes every sign-in.
async fn find(db: &mut Connection, query: &ThrottleQuery) -> Result<ThrottleState, DbError> {
    let (mut selects, mut given): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
    for bucket in &query.buckets {
        let n = given.len();
        let key = format!(
            "who = ${} AND what = ${} AND place = ${}",
            n + 1,
            n + 2,
            n + 3
        );
        selects.push(format!("SELECT {COLUMNS} FROM throttles WHERE {key}"));
        given.extend(bucket.key().map(Value::from));
    }
    let (username, places) = query
        .sources
        .as_ref()
        .map_or(("", &[][..]), |(name, places)| (name.as_str(), places));
    for place in places {
        let key = format!(
            "username = ${} AND place = ${}",
            given.len() + 1,
            given.len() + 2
        );
        selects.push(format!(
            "SELECT '', '', place, 0, 0, 0 FROM known_sources WHERE {key}"
        ));
        given.extend([Value::from(username), Value::from(place.key())]);
    }
    let mut found = ThrottleState::default();
    for mut row in db.query(&selects.join(" UNION ALL "), &given).await? {
        let key = [row.text()?, row.text()?, row.text()?];
        if key[1].is_empty() {
            found.known_sources.push(
                AttemptSource::parse(&key[2])
                    .ok_or_else(|| DbError::corrupt("stored attempt source is invalid"))?,
            );
        } else if let Some(bucket) = query.buckets.iter().find(|bucket| bucket.key() == key) {
            found.counts.push(failure_count(bucket.clone(), &mut row)?);
        }
    }
    Ok(found)
}

/// Reads the columns after the key.
fn failure_count(bucket: Bucket, row: &mut Row) -> Result<FailureCount, DbError> {
    let failures = u32::try_from(row.int()?).unwrap_or(u32::MAX);
    Ok(FailureCount {
        bucket,
        failures,
        last_at: row.time()?,
        tat: row.time()?,
    })
}

/// A charge from ahead of the cap was made before the clock was set back. It is dropped.
/// Increments are atomic under parallel calls. The username is stored only for existing accounts.
async fn charge(
    db: &mut Connection,
    (charges, at): &(Vec<Charge>, Timestamp),
) -> Result<Vec<FailureCount>, DbError> {
    const UPSERT: &str = "INSERT INTO throttles AS t (who, what, place, username, failures, last_at, paid_off_at)
        VALUES ($1, $2, $3, (SELECT a.username FROM accounts a WHERE a.username = $8), 1, $4, $5)
        ON CONFLICT (who, what, place) DO UPDATE SET
            username = excluded.username, failures = t.failures + 1, last_at = $4, paid_off_at = CASE
            WHEN t.paid_off_at <= $4 OR t.paid_off_at > $9 THEN $5 WHEN t.paid_off_at + $6 < $7 THEN t.paid_off_at + $6 ELSE $7 END
        RETURNING failures, last_at, paid_off_at";
    let mut tallies = Vec::with_capacity(charges.len());
    for Charge {
        bucket,
        cost,
        max: most,
    } in charges
    {
        let micros = i64::try_from(cost.as_micros())
            .map_err(|_| DbError::corrupt("penalty overflows i64 microseconds"))?;
        let ([who, what, place], name) = (bucket.key(), bucket.username().map(Username::as_str));
        let row = params![
            who,
            what,
            place,
            *at,
            *at + *cost,
            micros,
            *at + *most,
            name,
            *at + *most + CLOCK_LEEWAY
        ];
        let answer = db.find(UPSERT, row).await?;
        let mut answer = answer
            .ok_or_else(|| DbError::corrupt("the upsert of a failure count returned no row"))?;
        tallies.push(failure_count(bucket.clone(), &mut answer)?);
    }
    Ok(tallies)
}

async fn reset(db: &mut Connection, bucket: &Bucket) -> Result<(), DbError> {
    const DELETE: &str = "DELETE FROM throttles WHERE who = $1 AND what = $2 AND place = $3";
    let [who, what, place] = bucket.key();
    db.execute(DELETE, params![who, what, place])
        .await
        .map(drop)
}

async fn reset_all(
    db: &mut Connection,
    (username, secret): &(Username, CredentialKind),
) -> Result<(), DbError> {
    const DELETE: &str = "DELETE FROM throttles WHERE who = $1 AND what = $2";
    db.execute(
        DELETE,
        params![Bucket::account_key(username), secret.as_str()],
    )
    .await
    .map(drop)
}

/// For a new account: failures against its name from before it existed must not delay its owner.
pub(crate) async fn reset_counts(db: &mut Connection, username: &Username) -> Result<(), DbError> {
    db.execute(
        "DELETE FROM throttles WHERE who = $1",
        params![Bucket::account_key(username)],
    )
    .await
    .map(drop)
}

async fn list_lockouts(
    db: &mut Connection,
    what: &LockoutQuery,
) -> Result<Vec<FailureCount>, DbError> {
    const SELECT: &str =
        "SELECT username, what, place, failures, last_at, paid_off_at FROM throttles
        WHERE (who <> '' AND username IS NOT NULL AND failures >= $1)
            OR (who = '' AND what = 'guesses' AND paid_off_at > $2)
        ORDER BY last_at DESC, who, what, place LIMIT 1000";
    let rows = db
        .query(SELECT, params![what.failures, what.visible_after])
        .await?;
    rows.into_iter()
        .map(|mut row| read_failure_count(&mut row))
        .collect()
}

fn read_failure_count(row: &mut Row) -> Result<FailureCount, DbError> {
    let username = row
        .opt_text()?
        .map(|raw| accounts::username(&raw))
        .transpose()?;
    let (what, place) = (row.text()?, row.text()?);
    let bucket = Bucket::parse(username.as_ref(), &what, &place);
    failure_count(
        bucket.ok_or_else(|| DbError::corrupt("stored throttle bucket is invalid"))?,
        row,
    )
}

#[derive(Debug)]
struct Lift {
    target: ThrottleTarget,
    by: Actor,
    at: Timestamp,
}

async fn lift(db: &mut Connection, lift: &Lift) -> Result<u64, DbError> {
    let (lifted, subject) = match &lift.target {
        ThrottleTarget::Account(username) => {
            let delete = "DELETE FROM throttles WHERE who = $1";
            (
                db.execute(delete, params![Bucket::account_key(username)])
                    .await?,
                username.to_string(),
            )
        }
        ThrottleTarget::Network(network) => {
            let delete = "DELETE FROM throttles WHERE who = '' AND place = $1";
            (
                db.execute(delete, params![network.to_string()]).await?,
                network.to_string(),
            )
        }
    };
    if lifted > 0 {
        let record =
            NewAuditEntry::new(&lift.by, AuditAction::ThrottleLifted, lift.at).subject(subject);
        let lifted = i64::try_from(lifted).unwrap_or(i64::MAX);
        audit::record(
            db,
            &record.with_detail(|detail| detail.with("buckets", lifted)),
        )
        .await?;
    }
    Ok(lifted)
}

/// Deletes a limited number of rows of each kind; returns how many.
async fn purge(db: &mut Connection, what: &PurgeCutoffs) -> Result<u64, DbError> {
    const NETWORKS: &str = "DELETE FROM throttles WHERE (who, what, place) IN
        (SELECT who, what, place FROM throttles WHERE who = '' AND paid_off_at <= $1 LIMIT 500)";
    const NOBODYS: &str = "DELETE FROM throttles WHERE (who, what, place) IN
        (SELECT who, what, place FROM throttles WHERE who <> '' AND last_at < $1 AND username IS NULL LIMIT 500)";
    const STRANGE_AGAIN: &str = "DELETE FROM throttles WHERE (who, what, place) IN
        (SELECT t.who, t.what, t.place FROM throttles t WHERE t.who <> '' AND t.place <> '' AND t.last_at < $1
        AND NOT EXISTS (SELECT 1 FROM known_sources a WHERE a.username = t.username AND a.place = t.place) LIMIT 500)";
    const PLACES: &str = "DELETE FROM known_sources WHERE (username, place) IN
        (SELECT username, place FROM known_sources WHERE seen_at < $1 LIMIT 500)";
    let mut forgotten = 0;
    for (delete, before) in [
        (NETWORKS, what.tat_before),
        (NOBODYS, what.unknown_account_before),
        (STRANGE_AGAIN, what.unknown_account_before),
        (PLACES, what.known_source_before),
    ] {
        forgotten += db.execute(delete, params![before]).await?;
    }
    Ok(forgotten)
}

/// Remembers the source of a session as known for its account.
pub(crate) async fn remember_source(db: &mut Connection, session: &Session) -> Result<(), DbError> {
    const MEET: &str =
        "INSERT INTO known_sources AS p (username, place, seen_at) VALUES ($1, $2, $3)
        ON CONFLICT (username, place) DO UPDATE SET seen_at = $3 WHERE p.seen_at < $4";
    const BOUND: &str = "DELETE FROM known_sources WHERE username = $1 AND place IN
        (SELECT place FROM known_sources WHERE username = $1 ORDER BY seen_at DESC, place LIMIT 1000 OFFSET $2)";
    let (username, at) = (session.username.as_str(), session.last_seen);
    for place in session.sources() {
        if db
            .execute(
                MEET,
                params![username, place.key(), at, at - SEEN_GRANULARITY],
            )
            .await?
            > 0
        {
            db.execute(BOUND, params![username, MAX_SOURCES]).await?;
        }
    }
    Ok(())
}
