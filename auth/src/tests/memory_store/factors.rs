//! Second factors, in a list.

use jiff::Timestamp;

use super::{MemoryStore, Tables};
use crate::{
    Actor, Factor, FactorId, FactorKind, FactorKinds, TokenHash, Username,
    store::{
        FactorChange, FactorChangeRejected, FactorStore, MinimumFactors, Removal, StepUpRenewal,
        StoreResult,
    },
};

impl MemoryStore {
    /// Enrolls a TOTP app at this moment, as another node would.
    pub(crate) fn enroll_totp(&self, username: &str) {
        let factor = Factor {
            id: FactorId::new("app"),
            username: crate::tests::name(username),
            kind: FactorKind::Totp,
            name: "App".to_owned(),
            body: "sealed".to_owned(),
            counter: 0,
            created_at: Timestamp::UNIX_EPOCH,
            last_used_at: None,
            used_at: None,
        };
        let mut tables = self.tables();
        tables.bump_epoch(&factor.username, Timestamp::UNIX_EPOCH);
        tables.events.push(factor.username.clone());
        tables.factors.push(factor);
    }
}

impl Tables {
    pub(crate) fn factor_kinds(&self, username: &Username) -> FactorKinds {
        let theirs = self
            .factors
            .iter()
            .filter(|factor| factor.username == *username);
        FactorKinds::of(
            theirs
                .map(|factor| factor.kind)
                .filter(|kind| *kind != FactorKind::Recovery),
        )
    }

    fn remove_factors(&mut self, of: &Username, what: &Removal) {
        self.factors.retain(|factor| {
            let goes = match what {
                Removal::Nothing => false,
                Removal::One(id) => factor.id == *id,
                Removal::Kind(kind) => factor.kind == *kind,
                Removal::All => true,
            };
            factor.username != *of || !goes
        });
    }

    fn is_enrolled(&self, new: &Factor) -> bool {
        let one_app = |old: &Factor| old.kind == FactorKind::Totp && old.kind == new.kind;
        self.factors
            .iter()
            .any(|old| old.id == new.id || old.username == new.username && one_app(old))
    }
}

impl FactorStore for MemoryStore {
    async fn factors(&self, of: &Username) -> StoreResult<Vec<Factor>> {
        Ok(self
            .query()?
            .factors
            .iter()
            .filter(|factor| factor.username == *of)
            .cloned()
            .collect())
    }

    async fn factor(&self, id: &FactorId) -> StoreResult<Option<Factor>> {
        Ok(self
            .query()?
            .factors
            .iter()
            .find(|factor| factor.id == *id)
            .cloned())
    }

    async fn change_factors(&self, change: FactorChange) -> Result<(), FactorChangeRejected> {
        let mut tables = self.query()?;
        let of = &change.username;
        if !tables.accounts.contains_key(of) {
            return Err(FactorChangeRejected::NoSuchAccount);
        }
        let theirs = |id: &FactorId, factor: &Factor| factor.id == *id && factor.username == *of;
        if let Removal::One(id) = &change.remove
            && !tables.factors.iter().any(|factor| theirs(id, factor))
        {
            return Err(FactorChangeRejected::NoSuchFactor);
        }
        let before = tables.factors.clone();
        tables.remove_factors(of, &change.remove);
        let taken = change.add.iter().any(|new| tables.is_enrolled(new));
        tables.factors.extend(change.add.clone());
        let last = !tables.factor_kinds(of).is_enrolled();
        let over = change
            .keep
            .as_ref()
            .is_some_and(|(id, _)| tables.sessions[id].ended_at.is_some());
        let refused = match (taken, last && change.minimum == MinimumFactors::One, over) {
            (true, _, _) => Some(FactorChangeRejected::Duplicate),
            (_, true, _) => Some(FactorChangeRejected::LastFactor),
            (_, _, true) => Some(FactorChangeRejected::SessionEnded),
            _ => None,
        };
        if let Some(refused) = refused {
            tables.factors = before;
            return Err(refused);
        }
        if last {
            tables.remove_factors(of, &Removal::All);
        }
        let keep = change.keep.map(|(id, methods)| {
            if let Some(session) = tables.sessions.get_mut(&id) {
                session.methods = methods;
            }
            id
        });
        // Invitations of the account stay.
        tables.bump_epoch(of, change.at);
        tables.end_sessions(of, change.at, |id| Some(id) != keep.as_ref());
        Ok(())
    }

    async fn consume_totp_step(
        &self,
        id: &FactorId,
        step: i64,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let mut tables = self.query()?;
        let factor = tables.factors.iter_mut().find(|factor| {
            factor.id == *id && (factor.counter < step || factor.counter > step + 20)
        });
        Ok(factor
            .map(|factor| (factor.counter, factor.last_used_at) = (step, Some(at)))
            .is_some())
    }

    async fn update_factor_if(
        &self,
        old: &Factor,
        body: String,
        counter: i64,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let mut tables = self.query()?;
        let same =
            |new: &Factor| new.id == old.id && new.body == old.body && new.counter == old.counter;
        let Some(factor) = tables.factors.iter_mut().find(|factor| same(factor)) else {
            return Ok(false);
        };
        (factor.body, factor.counter, factor.last_used_at) = (body, counter, Some(at));
        Ok(true)
    }

    async fn consume_recovery_code(
        &self,
        by: &Actor,
        code: &TokenHash,
        at: Timestamp,
    ) -> StoreResult<Option<u32>> {
        let mut tables = self.query()?;
        let open = |f: &Factor| {
            f.kind == FactorKind::Recovery && f.username == by.username && f.used_at.is_none()
        };
        let Some(factor) = tables
            .factors
            .iter_mut()
            .find(|f| open(f) && f.body == code.as_str())
        else {
            return Ok(None);
        };
        (factor.used_at, factor.last_used_at) = (Some(at), Some(at));
        Ok(u32::try_from(tables.factors.iter().filter(|f| open(f)).count()).ok())
    }

    async fn rename_factor(&self, of: &Username, id: &FactorId, name: String) -> StoreResult<bool> {
        let mut tables = self.query()?;
        let factor = tables
            .factors
            .iter_mut()
            .find(|factor| factor.id == *id && factor.username == *of);
        Ok(factor.map(|factor| factor.name = name).is_some())
    }

    async fn renew_session(&self, renewal: StepUpRenewal) -> StoreResult<bool> {
        let StepUpRenewal {
            by,
            epoch,
            session: id,
            methods,
            at,
        } = renewal;
        let mut tables = self.query()?;
        if tables
            .accounts
            .get(&by.username)
            .is_none_or(|(credentials, _)| credentials.account.epoch != epoch)
        {
            return Ok(false);
        }
        let Some(session) = tables
            .sessions
            .get_mut(&id)
            .filter(|session| session.ended_at.is_none())
        else {
            return Ok(false);
        };
        (session.methods, session.auth_time) = (methods, at);
        tables.events.push(by.username.clone());
        Ok(true)
    }
}
