//! Links that verify a new e-mail address.

use auth::{
    Account, AccountChange, AccountStatus,
    audit::NewAuditEntry,
    store::{
        ChangeRejected, EmailConfirmation, EmailLinkStore, OneTimeKind, OneTimeToken, StoreResult,
    },
};

use crate::{
    Store, accounts, audit,
    connection::Connection,
    error::{DbError, TxError},
    one_time_tokens::{self, Key},
    transaction::write_tx,
};

impl EmailLinkStore for Store {
    async fn insert_email_link(
        &self,
        token: OneTimeToken,
        record: NewAuditEntry,
    ) -> StoreResult<()> {
        write_tx!(self, (token, record), insert)
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

async fn insert(
    db: &mut Connection,
    (token, record): &(OneTimeToken, NewAuditEntry),
) -> Result<(), DbError> {
    if let Some(username) = &token.username {
        // A parallel request waits here, then replaces the link that the first one stored.
        accounts::lock_row(db, username).await?;
        one_time_tokens::delete_all(db, &(OneTimeKind::EmailLink, username.clone())).await?;
    }
    one_time_tokens::insert(db, token).await?;
    audit::record(db, record).await
}

/// If the account has changed since, the result is the same as for an unknown account.
async fn confirm(
    db: &mut Connection,
    confirmation: &EmailConfirmation,
) -> Result<Account, TxError<ChangeRejected>> {
    let EmailConfirmation {
        link,
        epoch,
        previous: before,
        email,
        by,
        at,
    } = confirmation;
    // The account is locked before the link, as everywhere.
    let account = accounts::lock_row(db, &by.username)
        .await?
        .ok_or(ChangeRejected::NoSuchAccount)?;
    let as_it_was = account.status == AccountStatus::Active
        && account.epoch == *epoch
        && account.email == *before;
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
