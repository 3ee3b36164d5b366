//! An in-memory store: accounts, sessions, keys and failures in maps, lost with the process.
//! Deliberately absent: everything that only administrators need.

mod rest;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use auth::{
    Account, AccountChange, AccountStatus, Actor, AuthStore, NewAccount, PasswordHash, Realm,
    RealmId, RealmName, Role, SecurityEpoch, Session, SessionId, StoreUnavailable, TokenHash,
    Username,
    factor::FactorKinds,
    store::{
        AccountEvent, AccountQuery, Bucket, ChangeRejected, Credentials, FailureCount,
        InsertResult, Member, PasswordWrite, RefreshRotation, RefreshState, Rotation, SessionEnd,
        SignInContext, StoreResult, StoredKey,
    },
};
use jiff::Timestamp;

/// New accounts get their first role in the realm of this name.
pub(crate) const GARDEN_REALM: &str = "main";

#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStore(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
pub(crate) struct Tables {
    accounts: HashMap<Username, (Credentials, Vec<(RealmId, Role)>)>,
    sessions: HashMap<SessionId, Session>,
    /// By the hash of a cookie.
    cookies: HashMap<TokenHash, SessionId>,
    keys: Vec<StoredKey>,
    failure_counts: HashMap<Bucket, FailureCount>,
    events: Vec<Username>,
}

impl MemoryStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    /// Ends some sessions of an account, and invalidates every cache of it.
    fn end_sessions(
        &mut self,
        username: &Username,
        at: Timestamp,
        selects: impl Fn(&SessionId) -> bool,
    ) -> u64 {
        let open_sessions = self
            .sessions
            .values_mut()
            .filter(|s| s.username == *username && s.ended_at.is_none());
        let ended = open_sessions
            .filter(|session| selects(&session.id))
            .map(|session| session.ended_at = Some(at))
            .count();
        self.events.push(username.clone());
        ended as u64
    }

    /// Ends all sessions except one, and voids pending flows.
    fn revoke_all(&mut self, username: &Username, at: Timestamp, keep: Option<&SessionId>) -> u64 {
        self.bump_epoch(username, at);
        self.end_sessions(username, at, |id| Some(id) != keep)
    }

    fn bump_epoch(&mut self, username: &Username, at: Timestamp) {
        if let Some((credentials, _)) = self.accounts.get_mut(username) {
            credentials.account.epoch = credentials.account.epoch.bump(at);
        }
        self.events.push(username.clone());
    }
}

fn unsupported() -> StoreUnavailable {
    StoreUnavailable::from_source("not supported by the in-memory store")
}

impl AuthStore for MemoryStore {
    async fn create_account(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        _: Actor,
    ) -> StoreResult<InsertResult> {
        let mut tables = self.tables();
        if tables.accounts.contains_key(&new.username) {
            return Ok(InsertResult::Duplicate);
        }
        let account = Account {
            username: new.username.clone(),
            display_name: new.display_name,
            email: new.email,
            email_verified: new.email_verified,
            status: AccountStatus::Active,
            administrator: new.administrator,
            created_at: new.created_at,
            must_change_password: false,
            epoch: SecurityEpoch::default(),
        };
        tables.accounts.insert(
            new.username,
            (
                Credentials {
                    account,
                    password: new.password,
                },
                roles,
            ),
        );
        Ok(InsertResult::Inserted)
    }

    async fn create_first_administrator(
        &self,
        _: NewAccount,
        _: Actor,
    ) -> StoreResult<Option<InsertResult>> {
        Err(unsupported())
    }

    async fn credentials(&self, username: &Username) -> StoreResult<Option<Credentials>> {
        Ok(self
            .tables()
            .accounts
            .get(username)
            .map(|(credentials, _)| credentials.clone()))
    }

    async fn hash_samples(&self) -> StoreResult<Vec<PasswordHash>> {
        Ok(self
            .tables()
            .accounts
            .values()
            .map(|(credentials, _)| credentials.password.clone())
            .collect())
    }

    async fn member(&self, username: &Username) -> StoreResult<Option<Member>> {
        Ok(self
            .tables()
            .accounts
            .get(username)
            .map(|(credentials, roles)| Member {
                account: credentials.account.clone(),
                roles: roles.clone(),
                groups: Vec::new(),
                factors: FactorKinds::NONE,
                last_seen: None,
                last_sign_in: None,
            }))
    }

    async fn members(&self, _: AccountQuery) -> StoreResult<Vec<Member>> {
        Err(unsupported())
    }

    async fn change_account(
        &self,
        _: &Username,
        _: AccountChange,
        _: Actor,
        _: Timestamp,
    ) -> Result<Account, ChangeRejected> {
        Err(unsupported().into())
    }

    async fn set_role(
        &self,
        _: &Username,
        _: &RealmId,
        _: Option<Role>,
        _: Actor,
        _: Timestamp,
    ) -> Result<(), ChangeRejected> {
        Err(unsupported().into())
    }

    async fn members_of(&self, _: &RealmId) -> StoreResult<Vec<(Account, Role)>> {
        Err(unsupported())
    }

    async fn replace_password(
        &self,
        username: &Username,
        old: &PasswordHash,
        new: PasswordHash,
        reason: PasswordWrite,
        _: Actor,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let mut tables = self.tables();
        let Some((credentials, _)) = tables.accounts.get_mut(username) else {
            return Ok(false);
        };
        if credentials.password != *old || !reason.still_applies(&credentials.account) {
            return Ok(false);
        }
        credentials.password = new;
        match reason {
            PasswordWrite::Rehash => {}
            PasswordWrite::ChangeKeepingSessions { .. } => tables.bump_epoch(username, at),
            PasswordWrite::Change { keep, .. } => {
                tables.revoke_all(username, at, keep.as_ref());
            }
        }
        Ok(true)
    }

    async fn has_administrator(&self) -> StoreResult<bool> {
        Ok(false)
    }

    async fn start_session(
        &self,
        session: Session,
        secret: TokenHash,
        epoch: SecurityEpoch,
    ) -> StoreResult<Option<SignInContext>> {
        let mut tables = self.tables();
        let account = tables
            .accounts
            .get(&session.username)
            .map(|(credentials, _)| &credentials.account);
        if account
            .is_none_or(|account| account.status != AccountStatus::Active || account.epoch != epoch)
        {
            return Ok(None);
        }
        tables.cookies.insert(secret, session.id.clone());
        tables.sessions.insert(session.id.clone(), session);
        Ok(Some(SignInContext::default()))
    }

    async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>> {
        Ok(self.tables().sessions.get(id).cloned())
    }

    async fn session_by_cookie(&self, cookie: &TokenHash) -> StoreResult<Option<Session>> {
        let tables = self.tables();
        Ok(tables
            .cookies
            .get(cookie)
            .and_then(|id| tables.sessions.get(id))
            .cloned())
    }

    async fn session_by_refresh(&self, _: &TokenHash) -> StoreResult<Option<RefreshState>> {
        Ok(None)
    }

    /// Absent: users sign in again after half an hour.
    async fn rotate_refresh(&self, _: RefreshRotation) -> StoreResult<Rotation> {
        Ok(Rotation::Invalid)
    }

    async fn touch_session(&self, id: &SessionId, at: Timestamp) -> StoreResult<()> {
        if let Some(session) = self.tables().sessions.get_mut(id) {
            session.last_seen = at;
        }
        Ok(())
    }

    async fn sessions_of(&self, username: &Username, at: Timestamp) -> StoreResult<Vec<Session>> {
        let live =
            |s: &&Session| s.username == *username && s.ended_at.is_none() && at < s.expires_at;
        Ok(self
            .tables()
            .sessions
            .values()
            .filter(live)
            .cloned()
            .collect())
    }

    async fn end_session(
        &self,
        username: &Username,
        id: &SessionId,
        end: SessionEnd,
    ) -> StoreResult<bool> {
        Ok(self
            .tables()
            .end_sessions(username, end.at, |other| other == id)
            > 0)
    }

    async fn end_sessions(
        &self,
        username: &Username,
        keep: Option<&SessionId>,
        end: SessionEnd,
    ) -> StoreResult<u64> {
        Ok(self.tables().revoke_all(username, end.at, keep))
    }

    async fn realms(&self) -> StoreResult<Vec<Realm>> {
        let name = RealmName::parse(GARDEN_REALM).map_err(StoreUnavailable::from_source)?;
        Ok(vec![Realm {
            id: RealmId::new(GARDEN_REALM),
            name,
        }])
    }

    async fn account_events_after(&self, n: i64) -> StoreResult<Vec<AccountEvent>> {
        let tables = self.tables();
        let numbered = (1..)
            .zip(tables.events.iter().cloned())
            .map(|(n, username)| AccountEvent { seq: n, username });
        Ok(numbered.filter(|event| event.seq > n).take(1_000).collect())
    }

    async fn last_account_event(&self) -> StoreResult<i64> {
        i64::try_from(self.tables().events.len()).map_err(StoreUnavailable::from_source)
    }

    async fn purge_ended(&self, before: Timestamp) -> StoreResult<u64> {
        let sessions = &mut self.tables().sessions;
        let had = sessions.len();
        sessions.retain(|_, session| {
            session.ended_at.is_none_or(|at| before <= at) && before <= session.expires_at
        });
        Ok((had - sessions.len()) as u64)
    }
}
