//! PostgreSQL: a pool. A write is one READ COMMITTED transaction that locks the rows it decides on; one that met
//! another in an unlucky order is run again.

use std::time::Duration;

use auth::{Clock, Unavailable};
use sqlx::{ConnectOptions as _, PgPool, postgres::PgPoolOptions};
use tokio::time::timeout;

use crate::{
    Body,
    connection::Connection,
    error::{DbError, Stop},
    migrate::{Migrations, Misfit, expect, migrate},
    tls,
};

const MOST_CONNECTIONS: u32 = 20;
const TO_CONNECT: Duration = Duration::from_secs(5);
const RETRIES: usize = 3;
/// A transaction that takes longer is given up: else whoever waits for a database that is gone would wait for as long as
/// TCP does. (Single reads: see `connection`.)
const TO_WRITE: Duration = Duration::from_mins(10);
/// What the database is told for the day that we are gone without a word: it gives back what we held.
const PATIENCE: [(&str, &str); 4] = [
    ("idle_in_transaction_session_timeout", "60s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];
/// Statements kept ready on each connection: more than this crate has.
const STATEMENTS: usize = 256;

pub(crate) struct Postgres {
    pool: PgPool,
}

impl Postgres {
    pub(crate) async fn open(
        url: &str,
        migrations: Migrations,
        clock: Clock,
    ) -> Result<Self, Stop<Misfit>> {
        // Statements are not logged: their parameters are nobody's business.
        let options = tls::options(url)?
            .application_name("strongroom")
            .statement_cache_capacity(STATEMENTS);
        let options = options.options(PATIENCE);
        let pool = PgPoolOptions::new()
            .max_connections(MOST_CONNECTIONS)
            .acquire_timeout(TO_CONNECT);
        let options = options.disable_statement_logging();
        let pool = match pool.connect_with(options.clone()).await {
            // The pool does not say why: one connection does.
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
            // However long it takes.
            Migrations::Apply => {
                postgres
                    .write_at_leisure(&clock, |db, clock| Box::pin(migrate(db, clock)))
                    .await?
            }
            Migrations::Expect => postgres.write(&(), |db, ()| Box::pin(expect(db))).await?,
        }
        Ok(postgres)
    }

    pub(crate) async fn write<A, T, E>(&self, args: &A, body: Body<A, T, E>) -> Result<T, Stop<E>>
    where
        A: Sync,
        T: Send,
        E: Send,
    {
        timeout(TO_WRITE, self.write_at_leisure(args, body))
            .await
            .map_err(|_| DbError::silent())?
    }

    async fn write_at_leisure<A, T, E>(&self, args: &A, body: Body<A, T, E>) -> Result<T, Stop<E>>
    where
        A: Sync,
        T: Send,
        E: Send,
    {
        let mut left = RETRIES;
        loop {
            match self.attempt(args, body).await {
                Err(Stop::Failed(error)) if error.may_pass() && left > 0 => left -= 1,
                done => return done,
            }
        }
    }

    async fn attempt<A, T, E>(&self, args: &A, body: Body<A, T, E>) -> Result<T, Stop<E>>
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
                // Said now rather than by dropping: whoever tries next must not wait for it.
                if let Err(error) = transaction.rollback().await {
                    tracing::warn!(%error, "a rollback failed; the connection is given up");
                }
                Err(stop)
            }
        }
    }

    pub(crate) async fn read<A: Sync, T>(
        &self,
        args: &A,
        body: Body<A, T, Unavailable>,
    ) -> Result<T, Stop<Unavailable>> {
        let mut db = Connection::Pooled(self.pool.acquire().await.map_err(DbError::from)?);
        body(&mut db, args).await
    }
}
