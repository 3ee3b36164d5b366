//! Password reset links, among the one-time tokens.

use jiff::Timestamp;

use super::MemoryStore;
use crate::{
    Account, AccountStatus, EmailAddress,
    audit::NewAuditEntry,
    store::{OneTimeKind, OneTimeToken, PasswordReset, ResetConditions, ResetStore, StoreResult},
};

impl ResetStore for MemoryStore {
    async fn accounts_by_email(&self, email: &EmailAddress) -> StoreResult<Vec<Account>> {
        let is = |account: &Account| {
            let theirs = account
                .email
                .as_ref()
                .map(|theirs| theirs.as_str().to_ascii_lowercase());
            account.status == AccountStatus::Active
                && theirs == Some(email.as_str().to_ascii_lowercase())
        };
        let tables = self.query()?;
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
        token: OneTimeToken,
        record: NewAuditEntry,
        unless_since: Option<Timestamp>,
    ) -> StoreResult<bool> {
        let mut tables = self.query()?;
        let is_newer = |old: &OneTimeToken| {
            let theirs = old.kind == OneTimeKind::Reset && old.username == token.username;
            theirs
                && token.created_at < old.expires_at
                && unless_since.is_some_and(|since| old.created_at > since)
        };
        if tables.one_time_tokens.iter().any(is_newer) {
            return Ok(false);
        }
        if let Some(username) = &token.username {
            tables.delete_resets(username);
        }
        tables.one_time_tokens.push(token);
        tables.audit.push(record);
        Ok(true)
    }

    async fn reset_password(&self, reset: PasswordReset) -> StoreResult<Option<Account>> {
        let mut tables = self.query()?;
        let is = |token: &OneTimeToken| {
            token.kind == OneTimeKind::Reset
                && token.hash == reset.link
                && reset.at < token.expires_at
        };
        let Some(n) = tables.one_time_tokens.iter().position(is) else {
            return Ok(None);
        };
        let (Some(terms), Some(username)) = (
            ResetConditions::parse(&tables.one_time_tokens[n]),
            tables.one_time_tokens[n].username.clone(),
        ) else {
            return Ok(None);
        };
        let maker = terms
            .creator()
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
        tables.revoke_all(&username, reset.at, None);
        tables.delete_resets(&username);
        Ok(Some(account))
    }
}
