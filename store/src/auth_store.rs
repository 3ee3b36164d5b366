//! [`AuthStore`](auth::AuthStore) on both databases: one transaction a method. The SQL is in the
//! modules named after their subjects.

use auth::{
    Account, AccountChange, Actor, AuthStore, NewAccount, Origin, PasswordHash, Realm, RealmId,
    Role, SecurityEpoch, Session, SessionId, TokenHash, Username,
    store::{
        AccountEvent, AccountQuery, ChangeRejected, Credentials, EndAllSessions, EndReason,
        InsertResult, Member, PasswordWrite, RefreshRotation, RefreshState, Rotation, SessionEnd,
        SignInContext, SourceFamiliarity, StoreResult,
    },
};
use jiff::Timestamp;

use crate::{
    Store, account_events, accounts, refresh, roles, sessions, sign_in_history,
    transaction::{read_tx, write_tx},
};

impl AuthStore for Store {
    async fn create_account(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        by: Actor,
    ) -> StoreResult<InsertResult> {
        write_tx!(
            self,
            accounts::CreateAccount {
                new,
                roles,
                by,
                invite: None
            },
            accounts::create
        )
    }

    async fn create_first_administrator(
        &self,
        new: NewAccount,
        by: Actor,
    ) -> StoreResult<Option<InsertResult>> {
        write_tx!(self, (new, by), accounts::create_first)
    }

    async fn credentials(&self, username: &Username) -> StoreResult<Option<Credentials>> {
        read_tx!(self, username.clone(), accounts::credentials)
    }

    async fn hash_samples(&self) -> StoreResult<Vec<PasswordHash>> {
        self.read((), |db, ()| {
            Box::pin(async move { Ok(accounts::hash_samples(db).await?) })
        })
        .await
    }

    async fn member(&self, username: &Username) -> StoreResult<Option<Member>> {
        read_tx!(self, username.clone(), roles::member)
    }

    async fn members(&self, query: AccountQuery) -> StoreResult<Vec<Member>> {
        read_tx!(self, query, roles::members)
    }

    async fn change_account(
        &self,
        username: &Username,
        change: AccountChange,
        by: Actor,
        at: Timestamp,
    ) -> Result<Account, ChangeRejected> {
        let change = accounts::ChangeAccount {
            username: username.clone(),
            to: change,
            by,
            at,
        };
        self.write(change, |db, change| Box::pin(accounts::change(db, change)))
            .await
    }

    async fn set_role(
        &self,
        username: &Username,
        realm: &RealmId,
        role: Option<Role>,
        by: Actor,
        at: Timestamp,
    ) -> Result<(), ChangeRejected> {
        let set = roles::SetRole {
            username: username.clone(),
            realm: realm.clone(),
            role,
            by,
            at,
        };
        self.write(set, |db, set| Box::pin(roles::set(db, set)))
            .await
    }

    async fn members_of(&self, realm: &RealmId) -> StoreResult<Vec<(Account, Role)>> {
        read_tx!(self, realm.clone(), roles::members_of)
    }

    async fn replace_password(
        &self,
        username: &Username,
        old: &PasswordHash,
        new: PasswordHash,
        why: PasswordWrite,
        by: Actor,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let replace = accounts::ReplacePassword {
            username: username.clone(),
            old: old.clone(),
            new,
            reason: why,
            by,
            at,
        };
        write_tx!(self, replace, accounts::replace_password)
    }

    async fn has_administrator(&self) -> StoreResult<bool> {
        self.read((), |db, ()| {
            Box::pin(async move { Ok(accounts::has_administrator(db).await?) })
        })
        .await
    }

    async fn start_session(
        &self,
        session: Session,
        secret: TokenHash,
        epoch: SecurityEpoch,
    ) -> StoreResult<Option<SignInContext>> {
        write_tx!(
            self,
            sessions::StartSession {
                session,
                secret,
                epoch
            },
            sessions::start
        )
    }

    async fn is_known_source(
        &self,
        username: &Username,
        from: &Origin,
    ) -> StoreResult<SourceFamiliarity> {
        read_tx!(
            self,
            (username.clone(), from.clone()),
            sign_in_history::is_known
        )
    }

    async fn claim_expiring_tokens(
        &self,
        at: Timestamp,
        by: Timestamp,
    ) -> StoreResult<Vec<Session>> {
        write_tx!(self, (at, by), sessions::claim_expiring)
    }

    async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>> {
        read_tx!(self, id.clone(), sessions::find)
    }

    async fn session_by_cookie(&self, cookie: &TokenHash) -> StoreResult<Option<Session>> {
        read_tx!(self, cookie.clone(), sessions::by_cookie)
    }

    async fn session_by_refresh(&self, token: &TokenHash) -> StoreResult<Option<RefreshState>> {
        read_tx!(self, token.clone(), refresh::state)
    }

    async fn rotate_refresh(&self, rotate: RefreshRotation) -> StoreResult<Rotation> {
        write_tx!(self, rotate, refresh::rotate)
    }

    async fn touch_session(&self, id: &SessionId, at: Timestamp) -> StoreResult<()> {
        let touch = (id.clone(), at);
        self.write(touch, |db, (id, at)| {
            Box::pin(async move { Ok(sessions::touch(db, id, *at).await?) })
        })
        .await
    }

    async fn sessions_of(&self, username: &Username, at: Timestamp) -> StoreResult<Vec<Session>> {
        let of = (username.clone(), at);
        self.read(of, |db, (username, at)| {
            Box::pin(async move { Ok(sessions::of(db, username, *at).await?) })
        })
        .await
    }

    async fn persist_session(&self, id: &SessionId) -> StoreResult<()> {
        write_tx!(self, id.clone(), sessions::persist)
    }

    async fn end_reason_of_cookie(&self, cookie: &TokenHash) -> StoreResult<Option<EndReason>> {
        read_tx!(self, cookie.clone(), sessions::end_reason)
    }

    async fn end_session(
        &self,
        username: &Username,
        id: &SessionId,
        end: SessionEnd,
    ) -> StoreResult<bool> {
        write_tx!(
            self,
            sessions::EndSession {
                username: username.clone(),
                id: id.clone(),
                end
            },
            sessions::end
        )
    }

    async fn end_sessions(
        &self,
        username: &Username,
        keep: Option<&SessionId>,
        end: SessionEnd,
    ) -> StoreResult<u64> {
        let end = sessions::EndSessions {
            username: username.clone(),
            keep: keep.cloned(),
            end,
        };
        write_tx!(self, end, sessions::end_all)
    }

    async fn end_all_sessions(&self, all: EndAllSessions) -> StoreResult<u64> {
        write_tx!(self, all, sessions::end_all_accounts)
    }

    async fn realms(&self) -> StoreResult<Vec<Realm>> {
        self.read((), |db, ()| {
            Box::pin(async move { Ok(roles::realms(db).await?) })
        })
        .await
    }

    async fn account_events_after(&self, n: i64) -> StoreResult<Vec<AccountEvent>> {
        self.read(n, |db, n| {
            Box::pin(async move { Ok(account_events::after(db, *n).await?) })
        })
        .await
    }

    async fn last_account_event(&self) -> StoreResult<i64> {
        self.read((), |db, ()| {
            Box::pin(async move { Ok(account_events::last(db).await?) })
        })
        .await
    }

    async fn purge_ended(&self, before: Timestamp) -> StoreResult<u64> {
        let mut forgotten = 0;
        loop {
            // Small steps, so that no sign-in waits for the whole purge.
            let some: StoreResult<u64> = write_tx!(self, before, sessions::purge_ended);
            match some? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }
}
