//! Links that set a new password, among the slips.

use jiff::Timestamp;

use super::Memory;
use crate::{
    Account, EmailAddress, AccountStatus,
    audit::NewAuditEntry,
    store::{StoreResult, Reset, ResetStore, OneTimeToken, OneTimeKind, ResetConditions},
};

impl ResetStore for Memory {
    async fn accounts_by_email(&self, email: &EmailAddress) -> StoreResult<Vec<Account>> {
        let is = |account: &Account| {
            let theirs = account
                .email
                .as_ref()
                .map(|theirs| theirs.as_str().to_ascii_lowercase());
            account.standing == AccountStatus::Active
                && theirs == Some(email.as_str().to_ascii_lowercase())
        };
        let tables = self.ask()?;
        let accounts = tables
            .accounts
            .values()
            .map(|(credentials, _)| &credentials.account);
        Ok(accounts
            .filter(|account| is(account))
            .take(5)
            .cloned()
            .collect())
    }

    async fn insert_reset(
        &self,
        slip: OneTimeToken,
        record: NewAuditEntry,
        unless_since: Option<Timestamp>,
    ) -> StoreResult<bool> {
        let mut tables = self.ask()?;
        let is_newer = |kept: &OneTimeToken| {
            let theirs = kept.kind == OneTimeKind::Reset && kept.username == slip.username;
            theirs
                && slip.created_at < kept.expires_at
                && unless_since.is_some_and(|since| kept.created_at > since)
        };
        if tables.slips.iter().any(is_newer) {
            return Ok(false);
        }
        if let Some(username) = &slip.username {
            tables.forget_resets(username);
        }
        tables.slips.push(slip);
        tables.audit.push(record);
        Ok(true)
    }

    async fn reset_password(&self, reset: Reset) -> StoreResult<Option<Account>> {
        let mut tables = self.ask()?;
        let is = |slip: &OneTimeToken| {
            slip.kind == OneTimeKind::Reset && slip.hash == reset.link && reset.at < slip.expires_at
        };
        let Some(n) = tables.slips.iter().position(is) else {
            return Ok(None);
        };
        let (Some(terms), Some(username)) = (
            ResetConditions::read(&tables.slips[n]),
            tables.slips[n].username.clone(),
        ) else {
            return Ok(None);
        };
        let maker = terms
            .maker()
            .and_then(|maker| tables.member(&maker))
            .map(|maker| maker.account);
        let Some((credentials, _)) = tables.accounts.get_mut(&username) else {
            return Ok(None);
        };
        if !terms.still_hold(&credentials.account, maker.as_ref()) {
            return Ok(None);
        }
        credentials.password = reset.password;
        credentials.account.must_change_password = false;
        let account = credentials.account.clone();
        tables.throw_out(&username, reset.at, None);
        tables.forget_resets(&username);
        Ok(Some(account))
    }
}
