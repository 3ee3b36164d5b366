//! The contract of the store: each test runs on both databases.
#![cfg(test)]

mod accounts;
mod audit;
mod builders;
mod columns;
mod concurrency;
mod factors;
mod files;
mod folders;
mod keys;
mod listing;
mod one_time_tokens;
mod opening;
mod postgres;
mod refresh;
mod search;
mod security_epoch;
mod sessions;
mod throttles;

/// Runs each function on SQLite and on PostgreSQL. It takes an empty
/// [`TestDatabase`](store::testing::TestDatabase).
macro_rules! on_both_databases {
    ($($promise:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                super::$promise(store::testing::sqlite().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                if let Some(database) = store::testing::postgres().await {
                    super::$promise(database).await;
                }
            })*
        }
    };
}
pub(crate) use on_both_databases;
