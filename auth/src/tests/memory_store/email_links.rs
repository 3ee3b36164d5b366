//! E-mail confirmation links, among the one-time tokens.

use super::MemoryStore;
use crate::{
    Account, AccountStatus,
    audit::NewAuditEntry,
    store::{EmailConfirmation, EmailLinkStore, OneTimeKind, OneTimeToken, StoreResult},
};

impl EmailLinkStore for MemoryStore {
    async fn insert_email_link(
        &self,
        token: OneTimeToken,
        record: NewAuditEntry,
    ) -> StoreResult<()> {
        let mut tables = self.query()?;
        tables
            .one_time_tokens
            .retain(|old| old.kind != OneTimeKind::EmailLink || old.username != token.username);
        tables.one_time_tokens.push(token);
        tables.audit.push(record);
        Ok(())
    }

    async fn confirm_email(&self, confirmation: EmailConfirmation) -> StoreResult<Option<Account>> {
        let mut tables = self.query()?;
        let EmailConfirmation {
            link,
            epoch,
            previous: before,
            email,
            by,
            at,
        } = confirmation;
        let is = |token: &OneTimeToken| {
            token.kind == OneTimeKind::EmailLink && token.hash == link && at < token.expires_at
        };
        let Some(n) = tables.one_time_tokens.iter().position(is) else {
            return Ok(None);
        };
        let Some((credentials, _)) = tables.accounts.get_mut(&by.username) else {
            return Ok(None);
        };
        let account = &mut credentials.account;
        if account.status != AccountStatus::Active
            || account.epoch != epoch
            || account.email != before
        {
            return Ok(None);
        }
        (account.email, account.email_verified) = (Some(email), true);
        let account = account.clone();
        tables.one_time_tokens.remove(n);
        tables.delete_resets(&by.username);
        tables.events.push(by.username);
        Ok(Some(account))
    }
}
