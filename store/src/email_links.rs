//! Links that make an e-mail address an account's.

use auth::{
    Account, AccountChange, AccountStatus,
    audit::NewAuditEntry,
    store::{EmailLinkStore, StoreResult, ChangeRejected, EmailConfirmation, OneTimeToken, OneTimeKind},
};

use crate::{
    Store, accounts, audit,
    connection::Connection,
    error::{DbError, TxError},
    one_time_tokens::{self, Key},
    transaction::write_tx,
};

impl EmailLinkStore for Store {
    async fn keep_email_link(&self, slip: OneTimeToken, record: NewAuditEntry) -> StoreResult<()> {
        write_tx!(self, (slip, record), insert)
    }

    async fn confirm_email(&self, confirmation: EmailConfirmation) -> StoreResult<Option<Account>> {
        let confirmed = self
            .write(confirmation, |db, asked| Box::pin(confirm(db, asked)))
            .await;
        match confirmed {
            Ok(account) => Ok(Some(account)),
            Err(ChangeRejected::Store(unavailable)) => Err(unavailable),
            Err(ChangeRejected::NoSuchAccount | ChangeRejected::LastAdministrator) => Ok(None),
        }
    }
}

async fn insert(db: &mut Connection, (slip, record): &(OneTimeToken, NewAuditEntry)) -> Result<(), DbError> {
    if let Some(username) = &slip.username {
        // Two who ask at once: the second one waits here, and takes away what the first one kept.
        accounts::lock_row(db, username).await?;
        one_time_tokens::delete_all(db, &(OneTimeKind::EmailLink, username.clone())).await?;
    }
    one_time_tokens::insert(db, slip).await?;
    audit::record(db, record).await
}

/// Refused as if there were no such account where it is not what it was.
async fn confirm(
    db: &mut Connection,
    confirmation: &EmailConfirmation,
) -> Result<Account, TxError<ChangeRejected>> {
    let EmailConfirmation {
        link,
        era,
        before,
        email,
        by,
        at,
    } = confirmation;
    // The account before the link, as everywhere.
    let account = accounts::lock_row(db, &by.username)
        .await?
        .ok_or(ChangeRejected::NoSuchAccount)?;
    let as_it_was =
        account.standing == AccountStatus::Active && account.epoch == *era && account.email == *before;
    let one = Key {
        kind: OneTimeKind::EmailLink,
        hash: link.clone(),
        at: *at,
    };
    if !as_it_was || one_time_tokens::consume(db, &one).await?.is_none() {
        return Err(ChangeRejected::NoSuchAccount.into());
    }
    let to = AccountChange {
        email: Some(Some(email.clone())),
        email_verified: Some(true),
        ..AccountChange::default()
    };
    accounts::change(
        db,
        &accounts::ChangeAccount {
            username: by.username.clone(),
            to,
            by: by.clone(),
            at: *at,
        },
    )
    .await
}
