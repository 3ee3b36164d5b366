//! One transaction around a function: how every trait method of the store runs its SQL.

/// `write_tx!(store, args, path)` runs `path(db, &args)` in a transaction that may write.
macro_rules! write_tx {
    ($store:ident, $args:expr, $body:path) => {
        $store
            .write($args, |db, args| {
                Box::pin(async move { Ok($body(db, args).await?) })
            })
            .await
    };
}

/// `read_tx!(store, args, path)` runs `path(db, &args)` in a transaction that only reads.
macro_rules! read_tx {
    ($store:ident, $args:expr, $body:path) => {
        $store
            .read($args, |db, args| {
                Box::pin(async move { Ok($body(db, args).await?) })
            })
            .await
    };
}

pub(crate) use {read_tx, write_tx};
