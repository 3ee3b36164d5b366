//! Links that make an address an account's, among the slips.

use super::Memory;
use crate::{
    Account, AccountStatus,
    audit::NewAuditEntry,
    store::{EmailLinkStore, StoreResult, EmailConfirmation, OneTimeToken, OneTimeKind},
};

impl EmailLinkStore for Memory {
    async fn keep_email_link(&self, slip: OneTimeToken, record: NewAuditEntry) -> StoreResult<()> {
        let mut tables = self.ask()?;
        tables
            .slips
            .retain(|old| old.kind != OneTimeKind::EmailLink || old.username != slip.username);
        tables.slips.push(slip);
        tables.audit.push(record);
        Ok(())
    }

    async fn confirm_email(&self, confirmation: EmailConfirmation) -> StoreResult<Option<Account>> {
        let mut tables = self.ask()?;
        let EmailConfirmation {
            link,
            era,
            before,
            email,
            by,
            at,
        } = confirmation;
        let is = |slip: &OneTimeToken| {
            slip.kind == OneTimeKind::EmailLink && slip.hash == link && at < slip.expires_at
        };
        let Some(n) = tables.slips.iter().position(is) else {
            return Ok(None);
        };
        let Some((credentials, _)) = tables.accounts.get_mut(&by.username) else {
            return Ok(None);
        };
        let account = &mut credentials.account;
        if account.standing != AccountStatus::Active || account.epoch != era || account.email != before {
            return Ok(None);
        }
        (account.email, account.email_verified) = (Some(email), true);
        let account = account.clone();
        tables.slips.remove(n);
        tables.forget_resets(&by.username);
        tables.events.push(by.username);
        Ok(Some(account))
    }
}
