//! PostgreSQL: a pool. A write is one READ COMMITTED transaction that locks the rows it decides on.
//! A deadlock or a serialization failure is retried.

use std::time::Duration;

use auth::{Clock, StoreUnavailable};
use sqlx::{ConnectOptions as _, PgPool, postgres::PgPoolOptions};
use tokio::time::timeout;

use crate::{
    TxFn,
    connection::Connection,
    error::{DbError, TxError},
    migrate::{Migrations, VersionMismatch, check_version, migrate},
    tls,
};

const MAX_CONNECTIONS: u32 = 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RETRIES: usize = 3;
/// A transaction over 10 minutes is abandoned. Without the limit, a caller would wait for a lost
/// database as long as TCP does. (For single reads see `connection`.)
const WRITE_TIMEOUT: Duration = Duration::from_mins(10);
/// Server-side timeouts: the database releases the locks of a client that disappeared.
const TIMEOUTS: [(&str, &str); 4] = [
    ("idle_in_transaction_session_timeout", "60s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];
/// Prepared statements per connection: more than this crate has.
const STATEMENT_CACHE_CAPACITY: usize = 256;

pub(crate) struct Postgres {
    pool: PgPool,
}

impl Postgres {
    pub(crate) async fn open(
        url: &str,
        migrations: Migrations,
        clock: Clock,
    ) -> Result<Self, TxError<VersionMismatch>> {
        // Statements are not logged: their parameters are confidential.
        let options = tls::options(url)?
            .application_name("strongroom")
            .statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
        let options = options.options(TIMEOUTS);
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(CONNECT_TIMEOUT);
        let options = options.disable_statement_logging();
        let pool = match pool.connect_with(options.clone()).await {
            // The pool does not report the cause; a single connection does.
            Err(sqlx::Error::PoolTimedOut) => {
                let why = options
                    .connect()
                    .await
                    .err()
                    .unwrap_or(sqlx::Error::PoolTimedOut);
                return Err(DbError::from(why).into());
            }
            pool => pool.map_err(DbError::from)?,
        };
        let postgres = Self { pool };
        match migrations {
            // Without a timeout: a migration may take long.
            Migrations::Apply => {
                postgres
                    .write_with_retries(&clock, |db, clock| Box::pin(migrate(db, clock)))
                    .await?;
            }
            Migrations::Expect => {
                postgres
                    .write(&(), |db, ()| Box::pin(check_version(db)))
                    .await?;
            }
        }
        Ok(postgres)
    }

    pub(crate) async fn write<A, T, E>(
        &self,
        args: &A,
        body: TxFn<A, T, E>,
    ) -> Result<T, TxError<E>>
    where
        A: Sync,
        T: Send,
        E: Send,
    {
        timeout(WRITE_TIMEOUT, self.write_with_retries(args, body))
            .await
            .map_err(|_| DbError::timed_out())?
    }

    async fn write_with_retries<A, T, E>(
        &self,
        args: &A,
        body: TxFn<A, T, E>,
    ) -> Result<T, TxError<E>>
    where
        A: Sync,
        T: Send,
        E: Send,
    {
        let mut left = MAX_RETRIES;
        loop {
            match self.attempt(args, body).await {
                Err(TxError::Db(error)) if error.is_retryable() && left > 0 => left -= 1,
                done => return done,
            }
        }
    }

    async fn attempt<A, T, E>(&self, args: &A, body: TxFn<A, T, E>) -> Result<T, TxError<E>>
    where
        A: Sync,
        T: Send,
        E: Send,
    {
        let mut db = Connection::Transaction(self.pool.begin().await.map_err(DbError::from)?);
        let done = body(&mut db, args).await;
        let Connection::Transaction(transaction) = db else {
            return done;
        };
        match done {
            Ok(done) => {
                transaction.commit().await.map_err(DbError::from)?;
                Ok(done)
            }
            Err(stop) => {
                // Explicit rather than on drop: the next attempt must not wait for it.
                if let Err(error) = transaction.rollback().await {
                    tracing::warn!(%error, "rollback failed; closing the connection");
                }
                Err(stop)
            }
        }
    }

    pub(crate) async fn read<A: Sync, T>(
        &self,
        args: &A,
        body: TxFn<A, T, StoreUnavailable>,
    ) -> Result<T, TxError<StoreUnavailable>> {
        let mut db = Connection::Pooled(self.pool.acquire().await.map_err(DbError::from)?);
        body(&mut db, args).await
    }
}
