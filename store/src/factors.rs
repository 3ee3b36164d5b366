//! Second factors, and the sessions that were authenticated with them.

use auth::{
    AccountStatus, Actor, Factor, FactorId, FactorKind, TokenHash, Username,
    audit::{AuditAction, AuditDetail, NewAuditEntry},
    store::{
        EndReason, FactorChange, FactorChangeRejected, FactorStore, MinimumFactors, Removal,
        SessionEnd, StepUpRenewal, StoreResult,
    },
};
use jiff::Timestamp;

use crate::{
    Store,
    account_events::append,
    accounts, audit,
    connection::Connection,
    error::{DbError, TxError},
    identities, master, sessions,
    transaction::{read_tx, write_tx},
    value::{Row, params},
};

const COLUMNS: &str =
    "factor_id, username, kind, name, body, counter, created_at, last_used_at, used_at";

impl FactorStore for Store {
    async fn factors(&self, of: &Username) -> StoreResult<Vec<Factor>> {
        read_tx!(self, of.clone(), list)
    }

    async fn factor(&self, id: &FactorId) -> StoreResult<Option<Factor>> {
        read_tx!(self, id.clone(), find)
    }

    async fn change_factors(&self, change: FactorChange) -> Result<(), FactorChangeRejected> {
        self.write(change, |db, asked| Box::pin(change_all(db, asked)))
            .await
    }

    async fn consume_totp_step(
        &self,
        id: &FactorId,
        step: i64,
        at: Timestamp,
    ) -> StoreResult<bool> {
        write_tx!(
            self,
            ConsumeStep {
                id: id.clone(),
                number: step,
                at
            },
            consume_totp_step
        )
    }

    async fn update_factor_if(
        &self,
        factor: &Factor,
        body: String,
        counter: i64,
        at: Timestamp,
    ) -> StoreResult<bool> {
        write_tx!(
            self,
            UpdateFactor {
                factor: factor.clone(),
                body,
                counter,
                at
            },
            update_if
        )
    }

    async fn consume_recovery_code(
        &self,
        by: &Actor,
        code: &TokenHash,
        at: Timestamp,
    ) -> StoreResult<Option<u32>> {
        write_tx!(
            self,
            ConsumeRecoveryCode {
                by: by.clone(),
                hash: code.clone(),
                at
            },
            consume_recovery_code
        )
    }

    async fn rename_factor(&self, of: &Username, id: &FactorId, name: String) -> StoreResult<bool> {
        write_tx!(self, (of.clone(), id.clone(), name), rename)
    }

    async fn renew_session(&self, renewal: StepUpRenewal) -> StoreResult<bool> {
        write_tx!(self, renewal, renew)
    }
}

async fn list(db: &mut Connection, of: &Username) -> Result<Vec<Factor>, DbError> {
    let select =
        format!("SELECT {COLUMNS} FROM factors WHERE username = $1 ORDER BY created_at, factor_id");
    let rows = db.query(&select, params![of.as_str()]).await?;
    rows.into_iter().map(|mut row| parse(&mut row)).collect()
}

async fn find(db: &mut Connection, id: &FactorId) -> Result<Option<Factor>, DbError> {
    let select = format!("SELECT {COLUMNS} FROM factors WHERE factor_id = $1");
    db.find(&select, params![id.as_str()])
        .await?
        .map(|mut row| parse(&mut row))
        .transpose()
}

async fn change_all(
    db: &mut Connection,
    change: &FactorChange,
) -> Result<(), TxError<FactorChangeRejected>> {
    // Locked until the commit. It serializes two removals of the last two factors, and sign-ins
    // that create a session meanwhile.
    match accounts::lock_row(db, &change.username).await? {
        Some(account) if account.status != AccountStatus::Deleted => {}
        _ => return Err(FactorChangeRejected::NoSuchAccount.into()),
    }
    if !remove(db, &change.username, &change.remove).await? {
        return Err(FactorChangeRejected::NoSuchFactor.into());
    }
    for factor in &change.add {
        if !insert(db, factor).await? {
            return Err(FactorChangeRejected::Duplicate.into());
        }
    }
    if count_remaining(db, &change.username).await? == 0 {
        if change.minimum == MinimumFactors::One {
            return Err(FactorChangeRejected::LastFactor.into());
        }
        remove(db, &change.username, &Removal::All).await?;
    }
    let ended = keep_current_session(db, change).await?;
    append(db, &change.username).await?;
    // After the account event, as everywhere: this call writes to the audit.
    if change.unlink_identities {
        identities::unlink_all(db, &change.username, &change.by, change.at).await?;
    }
    audit::record(db, &audit_entry(change, ended)).await?;
    Ok(())
}

/// Returns false if the factor does not exist.
async fn remove(db: &mut Connection, of: &Username, what: &Removal) -> Result<bool, DbError> {
    let of = of.as_str();
    match what {
        Removal::Nothing => Ok(true),
        Removal::One(id) => {
            let one = "DELETE FROM factors WHERE username = $1 AND factor_id = $2";
            Ok(db.execute(one, params![of, id.as_str()]).await? == 1)
        }
        Removal::Kind(kind) => {
            db.execute(
                "DELETE FROM factors WHERE username = $1 AND kind = $2",
                params![of, kind.as_str()],
            )
            .await?;
            Ok(true)
        }
        Removal::All => {
            db.execute("DELETE FROM factors WHERE username = $1", params![of])
                .await?;
            Ok(true)
        }
    }
}

/// Returns false if the factor exists already, or is a second one of a kind that allows one.
async fn insert(db: &mut Connection, factor: &Factor) -> Result<bool, DbError> {
    const INSERT: &str =
        "INSERT INTO factors (factor_id, username, kind, name, body, counter, created_at, last_used_at, used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    if factor.kind == FactorKind::Totp {
        master::require_active_key(db, &factor.body).await?;
    }
    let row = params![
        factor.id.as_str(),
        factor.username.as_str(),
        factor.kind.as_str(),
        factor.name.as_str(),
        factor.body.as_str(),
        factor.counter,
        factor.created_at,
        factor.last_used_at,
        factor.used_at,
    ];
    Ok(db.execute(INSERT, row).await? == 1)
}

/// Counts second factors, without recovery codes.
async fn count_remaining(db: &mut Connection, of: &Username) -> Result<i64, DbError> {
    let count = "SELECT COUNT(*) FROM factors WHERE username = $1 AND kind <> 'recovery'";
    db.find(count, params![of.as_str()])
        .await?
        .map_or(Ok(0), |mut row| row.int())
}

/// Ends every session except the current one; returns how many.
async fn keep_current_session(
    db: &mut Connection,
    change: &FactorChange,
) -> Result<u64, TxError<FactorChangeRejected>> {
    if let Some((id, methods)) = &change.keep {
        const GO_ON: &str = "UPDATE sessions SET methods = $3
            WHERE session_id = $1 AND username = $2 AND ended_at IS NULL AND expires_at > $4";
        let row = params![
            id.as_str(),
            change.username.as_str(),
            methods.to_string(),
            change.at
        ];
        if db.execute(GO_ON, row).await? == 0 {
            return Err(FactorChangeRejected::SessionEnded.into());
        }
    }
    let end = sessions::EndSessions {
        username: change.username.clone(),
        keep: change.keep.as_ref().map(|(id, _)| id.clone()),
        end: SessionEnd {
            reason: EndReason::FactorsChanged,
            by: change.by.clone(),
            at: change.at,
        },
    };
    Ok(sessions::revoke_all(db, &end).await?)
}

/// Records kinds and names of the factors. For recovery codes it records only that they exist.
fn audit_entry(change: &FactorChange, ended: u64) -> NewAuditEntry {
    let record =
        NewAuditEntry::new(&change.by, change.action, change.at).subject(change.username.as_str());
    let entry = AuditDetail::from_json(change.detail.clone()).with("sessions_ended", ended);
    record.with_detail(|detail| AuditDetail {
        for_actor: detail.for_actor,
        from: detail.from,
        ..entry
    })
}

/// Steps of 30 s that a used code may lie ahead: ten minutes.
const TOTP_STEPS_AHEAD: i64 = 20;

#[derive(Debug)]
struct ConsumeStep {
    id: FactorId,
    number: i64,
    at: Timestamp,
}

async fn consume_totp_step(db: &mut Connection, step: &ConsumeStep) -> Result<bool, DbError> {
    // A step far ahead was used before the clock was set back. It must not lock the owner out.
    const USE: &str = "UPDATE factors SET counter = $2, last_used_at = $3
        WHERE factor_id = $1 AND (counter < $2 OR counter > $2 + $4)";
    Ok(db
        .execute(
            USE,
            params![step.id.as_str(), step.number, step.at, TOTP_STEPS_AHEAD],
        )
        .await?
        == 1)
}

#[derive(Debug)]
struct UpdateFactor {
    factor: Factor,
    body: String,
    counter: i64,
    at: Timestamp,
}

async fn update_if(db: &mut Connection, revise: &UpdateFactor) -> Result<bool, DbError> {
    const SWAP: &str = "UPDATE factors SET body = $4, counter = $5, last_used_at = $6
        WHERE factor_id = $1 AND body = $2 AND counter = $3";
    let factor = &revise.factor;
    let row = params![
        factor.id.as_str(),
        factor.body.as_str(),
        factor.counter,
        revise.body.as_str(),
        revise.counter,
        revise.at,
    ];
    Ok(db.execute(SWAP, row).await? == 1)
}

#[derive(Debug)]
struct ConsumeRecoveryCode {
    by: Actor,
    hash: TokenHash,
    at: Timestamp,
}

async fn consume_recovery_code(
    db: &mut Connection,
    code: &ConsumeRecoveryCode,
) -> Result<Option<u32>, DbError> {
    const USE: &str = "UPDATE factors SET used_at = $3, last_used_at = $3
        WHERE username = $1 AND kind = 'recovery' AND body = $2 AND used_at IS NULL";
    const LEFT: &str = "SELECT COUNT(*) FROM factors WHERE username = $1 AND kind = 'recovery' AND used_at IS NULL";
    let of = code.by.username.as_str();
    if db
        .execute(USE, params![of, code.hash.as_str(), code.at])
        .await?
        == 0
    {
        return Ok(None);
    }
    let left = db
        .find(LEFT, params![of])
        .await?
        .map_or(Ok(0), |mut row| row.int())?;
    let record = NewAuditEntry::new(&code.by, AuditAction::RecoveryCodeUsed, code.at);
    audit::record(db, &record.with_detail(|detail| detail.with("left", left))).await?;
    Ok(Some(u32::try_from(left).unwrap_or(u32::MAX)))
}

async fn rename(
    db: &mut Connection,
    (of, id, name): &(Username, FactorId, String),
) -> Result<bool, DbError> {
    let rename = "UPDATE factors SET name = $3 WHERE username = $1 AND factor_id = $2 AND kind <> 'recovery'";
    Ok(db
        .execute(rename, params![of.as_str(), id.as_str(), name.as_str()])
        .await?
        == 1)
}

async fn renew(db: &mut Connection, renew: &StepUpRenewal) -> Result<bool, DbError> {
    const RENEW: &str = "UPDATE sessions SET auth_time = $3, methods = $4
        WHERE session_id = $1 AND username = $2 AND ended_at IS NULL AND expires_at > $3";
    // A proof from another security epoch, or for a session with other factors, is void.
    if accounts::lock_row(db, &renew.by.username)
        .await?
        .is_none_or(|account| account.epoch != renew.epoch)
    {
        return Ok(false);
    }
    let (name, id) = (renew.by.username.as_str(), renew.session.as_str());
    if db
        .execute(
            RENEW,
            params![id, name, renew.at, renew.methods.to_string()],
        )
        .await?
        == 0
    {
        return Ok(false);
    }
    append(db, &renew.by.username).await?;
    let methods: Vec<_> = renew.methods.iter().map(auth::AuthMethod::as_str).collect();
    let record = NewAuditEntry::new(&renew.by, AuditAction::StepUpCompleted, renew.at);
    audit::record(
        db,
        &record.with_detail(|detail| detail.with("session", id).with("methods", methods)),
    )
    .await?;
    Ok(true)
}

fn parse(row: &mut Row) -> Result<Factor, DbError> {
    Ok(Factor {
        id: FactorId::new(&row.text()?),
        username: accounts::username(&row.text()?)?,
        kind: FactorKind::parse(&row.text()?)
            .ok_or_else(|| DbError::corrupt("stored factor kind is unknown"))?,
        name: row.text()?,
        body: row.text()?,
        counter: row.int()?,
        created_at: row.time()?,
        last_used_at: row.opt_time()?,
        used_at: row.opt_time()?,
    })
}
