//! Links that make an address an account's, among the slips.

use super::Memory;
use crate::{
    Account, Standing,
    audit::Record,
    store::{AddressStore, Answer, Confirmation, Slip, SlipKind},
};

impl AddressStore for Memory {
    async fn keep_email_link(&self, slip: Slip, record: Record) -> Answer<()> {
        let mut tables = self.ask()?;
        tables
            .slips
            .retain(|old| old.kind != SlipKind::EmailLink || old.username != slip.username);
        tables.slips.push(slip);
        tables.audit.push(record);
        Ok(())
    }

    async fn confirm_email(&self, confirmation: Confirmation) -> Answer<Option<Account>> {
        let mut tables = self.ask()?;
        let Confirmation {
            link,
            era,
            before,
            email,
            by,
            at,
        } = confirmation;
        let is = |slip: &Slip| {
            slip.kind == SlipKind::EmailLink && slip.hash == link && at < slip.expires_at
        };
        let Some(n) = tables.slips.iter().position(is) else {
            return Ok(None);
        };
        let Some((credentials, _)) = tables.accounts.get_mut(&by.username) else {
            return Ok(None);
        };
        let account = &mut credentials.account;
        if account.standing != Standing::Active || account.era != era || account.email != before {
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
