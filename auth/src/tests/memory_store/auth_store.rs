//! Accounts, sessions and the account-event log.

use std::{collections::HashMap, sync::atomic::Ordering};

use jiff::Timestamp;

use super::{MemoryStore, RefreshRow};
use crate::{
    Account, AccountChange, AccountStatus, Actor, AuthStore, NewAccount, PasswordHash, Realm,
    RealmId, Role, Scope, SecurityEpoch, Session, SessionId, SessionKind, TokenHash, Username,
    store::{
        AccountEvent, AccountQuery, ChangeRejected, Credentials, InsertResult, Member,
        PasswordWrite, RefreshRotation, RefreshState, Rotation, SessionEnd, SignInContext,
        StoreResult,
    },
};

impl AuthStore for MemoryStore {
    async fn create_account(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        by: Actor,
    ) -> StoreResult<InsertResult> {
        let mut tables = self.query()?;
        tables.actors.push(by);
        Ok(tables.insert(new, roles))
    }

    async fn create_first_administrator(
        &self,
        new: NewAccount,
        by: Actor,
    ) -> StoreResult<Option<InsertResult>> {
        let mut tables = self.query()?;
        tables.actors.push(by);
        Ok((tables.administrators() == 0).then(|| tables.insert(new, Vec::new())))
    }

    async fn credentials(&self, username: &Username) -> StoreResult<Option<Credentials>> {
        let found = self
            .query()?
            .accounts
            .get(username)
            .map(|(credentials, _)| credentials.clone());
        self.wait_if_paused().await;
        Ok(found)
    }

    async fn hash_samples(&self) -> StoreResult<Vec<PasswordHash>> {
        let tables = self.query()?;
        let active = tables
            .accounts
            .values()
            .filter(|(known, _)| known.account.status == AccountStatus::Active);
        Ok(active.map(|(known, _)| known.password.clone()).collect())
    }

    async fn member(&self, username: &Username) -> StoreResult<Option<Member>> {
        let found = self.query()?.member(username);
        self.wait_if_paused().await;
        Ok(found)
    }

    async fn members(&self, _: AccountQuery) -> StoreResult<Vec<Member>> {
        let tables = self.query()?;
        Ok(tables
            .accounts
            .keys()
            .filter_map(|username| tables.member(username))
            .collect())
    }

    async fn change_account(
        &self,
        username: &Username,
        change: AccountChange,
        _: Actor,
        at: Timestamp,
    ) -> Result<Account, ChangeRejected> {
        let mut tables = self.query()?;
        let found = tables.accounts.get(username).cloned();
        let Some((credentials, _)) =
            found.filter(|(known, _)| known.account.status != AccountStatus::Deleted)
        else {
            return Err(ChangeRejected::NoSuchAccount);
        };
        let mut account = credentials.account.clone();
        let was = account.administrator && account.status == AccountStatus::Active;
        account.status = change.status.unwrap_or(account.status);
        account.administrator = change.administrator.unwrap_or(account.administrator);
        account.email = change.email.unwrap_or(account.email);
        let same = account.email == credentials.account.email;
        account.email_verified = change
            .email_verified
            .unwrap_or(account.email_verified && same);
        account.must_change_password = change
            .must_change_password
            .unwrap_or(account.must_change_password);
        let is = account.administrator && account.status == AccountStatus::Active;
        if was && !is && tables.administrators() == 1 {
            return Err(ChangeRejected::LastAdministrator);
        }
        let active = account.status == AccountStatus::Active;
        if !active || account.email != credentials.account.email {
            tables.delete_resets(username);
        }
        let required = account.must_change_password && !credentials.account.must_change_password;
        if account.administrator && !credentials.account.administrator {
            let grown = |session: &&mut Session| {
                session.kind == SessionKind::Personal && session.scopes.contains(Scope::Administer)
            };
            let theirs = tables
                .sessions
                .values_mut()
                .filter(|session| session.username == *username);
            theirs
                .filter(grown)
                .for_each(|session| session.ended_at = session.ended_at.or(Some(at)));
        }
        if let Some((credentials, _)) = tables.accounts.get_mut(username) {
            credentials.account = account;
        }
        if !active || required {
            tables.revoke_all(username, at, None);
        } else {
            tables.events.push(username.clone());
        }
        tables
            .accounts
            .get(username)
            .map(|(c, _)| c.account.clone())
            .ok_or(ChangeRejected::NoSuchAccount)
    }

    async fn set_role(
        &self,
        username: &Username,
        realm: &RealmId,
        role: Option<Role>,
        _: Actor,
        _: Timestamp,
    ) -> Result<(), ChangeRejected> {
        let mut tables = self.query()?;
        let (_, roles) = tables
            .accounts
            .get_mut(username)
            .ok_or(ChangeRejected::NoSuchAccount)?;
        match role {
            Some(role) => roles.insert(realm.clone(), role),
            None => roles.remove(realm),
        };
        tables.events.push(username.clone());
        Ok(())
    }

    async fn members_of(&self, realm: &RealmId) -> StoreResult<Vec<(Account, Role)>> {
        let tables = self.query()?;
        let role = |(c, roles): &(Credentials, HashMap<RealmId, Role>)| {
            Some((c.account.clone(), *roles.get(realm)?))
        };
        Ok(tables.accounts.values().filter_map(role).collect())
    }

    async fn replace_password(
        &self,
        username: &Username,
        old: &PasswordHash,
        new: PasswordHash,
        why: PasswordWrite,
        _: Actor,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let mut tables = self.query()?;
        let Some((credentials, _)) = tables.accounts.get_mut(username) else {
            return Ok(false);
        };
        if credentials.password != *old || !why.still_applies(&credentials.account) {
            return Ok(false);
        }
        credentials.password = new;
        if why != PasswordWrite::Rehash {
            tables.delete_resets(username);
        }
        match why {
            PasswordWrite::Rehash => {}
            PasswordWrite::ChangeKeepingSessions { .. } => tables.bump_epoch(username, at),
            PasswordWrite::Change { keep, .. } => {
                tables.revoke_all(username, at, keep.as_ref());
            }
        }
        Ok(true)
    }

    async fn has_administrator(&self) -> StoreResult<bool> {
        Ok(self.query()?.administrators() > 0)
    }

    async fn start_session(
        &self,
        session: Session,
        secret: TokenHash,
        epoch: SecurityEpoch,
    ) -> StoreResult<Option<SignInContext>> {
        let mut tables = self.query()?;
        let account = tables
            .accounts
            .get(&session.username)
            .map(|(credentials, _)| &credentials.account);
        if account
            .is_none_or(|account| account.status != AccountStatus::Active || account.epoch != epoch)
        {
            return Ok(None);
        }
        let arrival = tables.record_sign_in(&session);
        tables.throttles.remember_source(&session);
        match session.kind {
            crate::SessionKind::Web | crate::SessionKind::Personal => {
                drop(tables.cookies.insert(secret, session.id.clone()));
            }
            crate::SessionKind::OAuth => {
                let refresh = RefreshRow {
                    session: session.id.clone(),
                    used_at: None,
                    successor: None,
                };
                tables.refresh.insert(secret, refresh);
            }
        }
        tables.sessions.insert(session.id.clone(), session);
        Ok(Some(arrival))
    }

    async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>> {
        let found = self.query()?.sessions.get(id).cloned();
        self.wait_if_paused().await;
        Ok(found)
    }

    async fn session_by_cookie(&self, cookie: &TokenHash) -> StoreResult<Option<Session>> {
        let tables = self.query()?;
        Ok(tables
            .cookies
            .get(cookie)
            .and_then(|id| tables.sessions.get(id))
            .cloned())
    }

    async fn session_by_refresh(&self, token: &TokenHash) -> StoreResult<Option<RefreshState>> {
        let tables = self.query()?;
        let Some(refresh) = tables.refresh.get(token) else {
            return Ok(None);
        };
        let session = tables
            .sessions
            .get(&refresh.session)
            .filter(|session| session.ended_at.is_none());
        Ok(session.cloned().map(|session| RefreshState {
            session,
            used: refresh.used_at.is_some(),
        }))
    }

    async fn rotate_refresh(&self, rotate: RefreshRotation) -> StoreResult<Rotation> {
        Ok(self.query()?.rotate(rotate))
    }

    async fn touch_session(&self, id: &SessionId, at: Timestamp) -> StoreResult<()> {
        self.0.touches.fetch_add(1, Ordering::Relaxed);
        if let Some(session) = self.query()?.sessions.get_mut(id) {
            session.last_seen = at;
        }
        Ok(())
    }

    async fn sessions_of(&self, username: &Username, at: Timestamp) -> StoreResult<Vec<Session>> {
        let tables = self.query()?;
        let live =
            |s: &&Session| s.username == *username && s.ended_at.is_none() && at < s.expires_at;
        Ok(tables.sessions.values().filter(live).cloned().collect())
    }

    async fn end_session(
        &self,
        username: &Username,
        id: &SessionId,
        end: SessionEnd,
    ) -> StoreResult<bool> {
        Ok(self
            .query()?
            .end_sessions(username, end.at, |other| other == id)
            > 0)
    }

    async fn end_sessions(
        &self,
        username: &Username,
        keep: Option<&SessionId>,
        end: SessionEnd,
    ) -> StoreResult<u64> {
        Ok(self.query()?.revoke_all(username, end.at, keep))
    }

    async fn realms(&self) -> StoreResult<Vec<Realm>> {
        Ok(self.query()?.realms.clone())
    }

    async fn account_events_after(&self, n: i64) -> StoreResult<Vec<AccountEvent>> {
        let tables = self.query()?;
        let numbered = (1..)
            .zip(tables.events.iter().cloned())
            .map(|(n, username)| AccountEvent { seq: n, username });
        Ok(numbered.filter(|event| event.seq > n).take(1_000).collect())
    }

    async fn last_account_event(&self) -> StoreResult<i64> {
        Ok(i64::try_from(self.query()?.events.len()).unwrap())
    }

    async fn purge_ended(&self, _: Timestamp) -> StoreResult<u64> {
        Ok(0)
    }
}
