//! One connection to either database. Statements are written once, in PostgreSQL's syntax. SQLite
//! receives `?1` for `$1`, and no `FOR UPDATE`, which its single writer does not need.

use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, PgConnection, Postgres, Row as _, TypeInfo as _,
};
use tokio::time::timeout;

use crate::{
    error::DbError,
    value::{Row, Value},
};

/// A read over 30 s fails as an unreachable database.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) enum Connection {
    /// Never waits: its futures complete on the first poll.
    Sqlite(rusqlite::Connection),
    /// For reading.
    Pooled(sqlx::pool::PoolConnection<Postgres>),
    /// For writing; rolled back when dropped.
    Transaction(sqlx::Transaction<'static, Postgres>),
}

impl Connection {
    /// All rows that a statement returns, also for `INSERT … RETURNING`.
    pub(crate) async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        match self {
            Self::Sqlite(sqlite) => query_sqlite(sqlite, sql, params),
            Self::Pooled(postgres) => {
                let reading = query_postgres(postgres, sql, params);
                timeout(READ_TIMEOUT, reading)
                    .await
                    .map_err(|_| DbError::timed_out())?
            }
            Self::Transaction(postgres) => query_postgres(postgres, sql, params).await,
        }
    }

    /// The first row.
    pub(crate) async fn find(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// The number of rows that a statement changed.
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        match self {
            Self::Sqlite(sqlite) => execute_sqlite(sqlite, sql, params),
            Self::Pooled(postgres) => execute_postgres(postgres, sql, params).await,
            Self::Transaction(postgres) => execute_postgres(postgres, sql, params).await,
        }
    }

    /// Several statements without parameters, as in a migration.
    pub(crate) async fn run_script(&mut self, sql: &str) -> Result<(), DbError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.execute_batch(&for_sqlite(sql))?),
            Self::Pooled(postgres) => run_script_postgres(postgres, sql).await,
            Self::Transaction(postgres) => run_script_postgres(postgres, sql).await,
        }
    }
}

pub(crate) fn for_sqlite(sql: &str) -> String {
    sql.replace('$', "?")
        .replace(" FOR UPDATE", "")
        .replace(" COLLATE \"C\"", "")
        .replace(" strpos(", " instr(")
}

fn query_sqlite(
    sqlite: &rusqlite::Connection,
    sql: &str,
    params: &[Value],
) -> Result<Vec<Row>, DbError> {
    let mut statement = sqlite.prepare_cached(&for_sqlite(sql))?;
    let columns = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns)
            .map(|column| value_from_sqlite(row.get_ref(column)?))
            .collect::<Result<_, DbError>>()?;
        found.push(Row::new(values));
    }
    Ok(found)
}

fn execute_sqlite(
    sqlite: &rusqlite::Connection,
    sql: &str,
    params: &[Value],
) -> Result<u64, DbError> {
    let mut statement = sqlite.prepare_cached(&for_sqlite(sql))?;
    let changed = statement.execute(rusqlite::params_from_iter(params))?;
    Ok(changed as u64)
}

fn value_from_sqlite(value: ValueRef<'_>) -> Result<Value, DbError> {
    match value {
        ValueRef::Null => Ok(Value::Int(None)),
        ValueRef::Integer(number) => Ok(Value::Int(Some(number))),
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| DbError::corrupt("stored text is not UTF-8"))?;
            Ok(Value::Text(Some(text.to_owned())))
        }
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(DbError::corrupt(
            "stored value is neither a number nor text",
        )),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(Some(number)) => ValueRef::Integer(*number),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Int(None) | Self::Text(None) => ValueRef::Null,
        }))
    }
}

/// The text contains only constants of this crate. Outside values go into the parameters.
fn bound<'q>(
    sql: &str,
    params: &'q [Value],
) -> sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments> {
    let query = sqlx::query(AssertSqlSafe(sql));
    params.iter().fold(query, |query, value| match value {
        Value::Int(number) => query.bind(*number),
        Value::Text(text) => query.bind(text.as_deref()),
    })
}

async fn query_postgres(
    postgres: &mut PgConnection,
    sql: &str,
    params: &[Value],
) -> Result<Vec<Row>, DbError> {
    let rows = postgres.fetch_all(bound(sql, params)).await?;
    rows.iter().map(row_from_postgres).collect()
}

async fn execute_postgres(
    postgres: &mut PgConnection,
    sql: &str,
    params: &[Value],
) -> Result<u64, DbError> {
    Ok(postgres.execute(bound(sql, params)).await?.rows_affected())
}

async fn run_script_postgres(postgres: &mut PgConnection, sql: &str) -> Result<(), DbError> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(postgres).await?;
    Ok(())
}

fn row_from_postgres(row: &sqlx::postgres::PgRow) -> Result<Row, DbError> {
    let values = row.columns().iter().map(|column| {
        let at = column.ordinal();
        Ok(match column.type_info().name() {
            "INT8" => Value::Int(row.try_get(at)?),
            "INT4" => Value::Int(row.try_get::<Option<i32>, _>(at)?.map(i64::from)),
            _ => Value::Text(row.try_get(at)?),
        })
    });
    Ok(Row::new(values.collect::<Result<_, DbError>>()?))
}
