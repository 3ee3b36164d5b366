//! Links that make an e-mail address an account's.

use auth::{
    Account, AccountChange, Standing,
    audit::Record,
    store::{AddressStore, Answer, ChangeRefused, Confirmation, Slip, SlipKind},
};

use crate::{
    Store, accounts, audit,
    connection::Connection,
    error::{DbError, TxError},
    one_time_tokens::{self, Key},
    transaction::write_tx,
};

impl AddressStore for Store {
    async fn keep_email_link(&self, slip: Slip, record: Record) -> Answer<()> {
        write_tx!(self, (slip, record), insert)
    }

    async fn confirm_email(&self, confirmation: Confirmation) -> Answer<Option<Account>> {
        let confirmed = self
            .write(confirmation, |db, asked| Box::pin(confirm(db, asked)))
            .await;
        match confirmed {
            Ok(account) => Ok(Some(account)),
            Err(ChangeRefused::Store(unavailable)) => Err(unavailable),
            Err(ChangeRefused::NoSuchAccount | ChangeRefused::LastAdministrator) => Ok(None),
        }
    }
}

async fn insert(db: &mut Connection, (slip, record): &(Slip, Record)) -> Result<(), DbError> {
    if let Some(username) = &slip.username {
        // Two who ask at once: the second one waits here, and takes away what the first one kept.
        accounts::lock_row(db, username).await?;
        one_time_tokens::delete_all(db, &(SlipKind::EmailLink, username.clone())).await?;
    }
    one_time_tokens::insert(db, slip).await?;
    audit::record(db, record).await
}

/// Refused as if there were no such account where it is not what it was.
async fn confirm(
    db: &mut Connection,
    confirmation: &Confirmation,
) -> Result<Account, TxError<ChangeRefused>> {
    let Confirmation {
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
        .ok_or(ChangeRefused::NoSuchAccount)?;
    let as_it_was =
        account.standing == Standing::Active && account.era == *era && account.email == *before;
    let one = Key {
        kind: SlipKind::EmailLink,
        hash: link.clone(),
        at: *at,
    };
    if !as_it_was || one_time_tokens::consume(db, &one).await?.is_none() {
        return Err(ChangeRefused::NoSuchAccount.into());
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
