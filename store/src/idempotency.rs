//! Idempotency keys: a repeated request has no second effect.

use auth::Username;
use vault::{Command, Outcome, VaultError, store::IdempotencyKey};

use crate::{
    connection::Connection,
    error::{DbError, TxError},
    json_rows::{self, OutcomeRow},
    value::{Value, params},
};

/// Claims the key by inserting it. A parallel request with the same key waits for this transaction,
/// then reads its outcome. `Some` for the later of the two.
pub(crate) async fn claim(
    db: &mut Connection,
    command: &Command,
) -> Result<Option<Outcome>, TxError<VaultError>> {
    const CLAIM: &str = "INSERT INTO idempotency (vault_id, username, request_key, fingerprint, at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (vault_id, username, request_key) DO NOTHING";
    const FIND: &str = "SELECT fingerprint, outcome FROM idempotency
        WHERE vault_id = $1 AND username = $2 AND request_key = $3";
    let Some(key) = &command.key else {
        return Ok(None);
    };
    let mut row = key_params(command, key);
    let place = row.clone();
    row.extend_from_slice(params![key.fingerprint.as_str(), command.at]);
    if db.execute(CLAIM, &row).await? == 1 {
        return Ok(None);
    }
    // The key was purged between the two statements: the next attempt can claim it.
    let Some(mut row) = db.find(FIND, &place).await? else {
        return Err(
            DbError::Serialization("an idempotency key was purged meanwhile".to_owned()).into(),
        );
    };
    if row.text()? != key.fingerprint {
        return Err(VaultError::KeyReused.into());
    }
    let outcome = json_rows::read::<OutcomeRow>(&row.text()?)?;
    Ok(Some(outcome.replayed()?))
}

/// Stores the response for a repeated request.
pub(crate) async fn complete(
    db: &mut Connection,
    command: &Command,
    outcome: &Outcome,
) -> Result<(), DbError> {
    const SETTLE: &str = "UPDATE idempotency SET outcome = $4 WHERE vault_id = $1 AND username = $2 AND request_key = $3";
    let Some(key) = &command.key else {
        return Ok(());
    };
    let mut row = key_params(command, key);
    row.push(json_rows::write(&OutcomeRow::of(outcome))?.into());
    db.execute(SETTLE, &row).await.map(drop)
}

fn key_params(command: &Command, key: &IdempotencyKey) -> Vec<Value> {
    let username: &Username = &command.by.username;
    params![command.vault.as_str(), username.as_str(), key.key.as_str()].to_vec()
}
