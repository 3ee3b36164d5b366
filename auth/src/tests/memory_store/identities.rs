//! Identities at upstream providers, in a list.

use jiff::Timestamp;

use super::MemoryStore;
use crate::{
    Actor, AuthMethod, NewAccount, PasswordHash, RealmId, Role, SecurityEpoch, Username,
    store::{Identity, IdentityStore, InsertResult, LinkResult, NewIdentity, StoreResult},
    upstream::identity_id,
};

impl MemoryStore {
    /// Creates an account by provider sign-in at this moment, as another window would.
    pub(crate) fn create_linked_account(&self, username: &str, issuer: &str, subject: &str) {
        let (username, mut tables) = (crate::tests::name(username), self.tables());
        let new = NewAccount {
            username: username.clone(),
            display_name: None,
            email: None,
            email_verified: false,
            password: PasswordHash::from_stored("unusable"),
            administrator: false,
            created_at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(tables.insert(new, Vec::new()), InsertResult::Inserted);
        let identity = NewIdentity {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            provider: "work".to_owned(),
            display_hint: None,
        };
        tables
            .identities
            .push(to_identity(identity, &username, Timestamp::UNIX_EPOCH));
    }
}

impl IdentityStore for MemoryStore {
    async fn identity(&self, issuer: &str, subject: &str) -> StoreResult<Option<Identity>> {
        Ok(self
            .query()?
            .identities
            .iter()
            .find(|known| known.issuer == issuer && known.subject == subject)
            .cloned())
    }

    async fn identities_of(&self, username: &Username) -> StoreResult<Vec<Identity>> {
        Ok(self
            .query()?
            .identities
            .iter()
            .filter(|known| known.username == *username)
            .cloned()
            .collect())
    }

    async fn link_identity(
        &self,
        by: Actor,
        epoch: SecurityEpoch,
        new: NewIdentity,
        at: Timestamp,
    ) -> StoreResult<Option<InsertResult>> {
        let mut tables = self.query()?;
        let is_over = |id| {
            tables
                .sessions
                .get(id)
                .is_none_or(|session| session.ended_at.is_some())
        };
        let account = tables
            .accounts
            .get(&by.username)
            .map(|(credentials, _)| credentials.account.epoch);
        if by.session().is_some_and(is_over) || account.is_some_and(|now| now != epoch) {
            return Ok(None);
        }
        if tables
            .identities
            .iter()
            .any(|known| known.issuer == new.issuer && known.subject == new.subject)
        {
            return Ok(Some(InsertResult::Duplicate));
        }
        tables.identities.push(to_identity(new, &by.username, at));
        Ok(Some(InsertResult::Inserted))
    }

    async fn unlink_identity(&self, by: Actor, id: &str, at: Timestamp) -> StoreResult<bool> {
        let tables = &mut *self.query()?;
        let before = tables.identities.len();
        tables.identities.retain(|known| {
            known.username != by.username || identity_id(&known.issuer, &known.subject) != id
        });
        if tables.identities.len() == before {
            return Ok(false);
        }
        tables.bump_epoch(&by.username, at);
        let of_providers = tables
            .sessions
            .values()
            .filter(|session| session.methods.contains(AuthMethod::Upstream));
        let of_providers: Vec<_> = of_providers.map(|session| session.id.clone()).collect();
        tables.end_sessions(&by.username, at, |id| {
            Some(id) != by.session() && of_providers.contains(id)
        });
        Ok(true)
    }

    async fn touch_identity(&self, issuer: &str, subject: &str, at: Timestamp) -> StoreResult<()> {
        let mut tables = self.query()?;
        let used = tables
            .identities
            .iter_mut()
            .find(|known| known.issuer == issuer && known.subject == subject);
        if let Some(used) = used {
            used.last_used_at = Some(at);
        }
        Ok(())
    }

    async fn create_linked_account(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        identity: NewIdentity,
        _: Actor,
    ) -> StoreResult<LinkResult> {
        let mut tables = self.query()?;
        if tables
            .identities
            .iter()
            .any(|known| known.issuer == identity.issuer && known.subject == identity.subject)
        {
            return Ok(LinkResult::IdentityTaken);
        }
        let identity = to_identity(identity, &new.username, new.created_at);
        if tables.insert(new, roles) == InsertResult::Duplicate {
            return Ok(LinkResult::UsernameTaken);
        }
        tables.identities.push(identity);
        Ok(LinkResult::Linked)
    }
}

fn to_identity(new: NewIdentity, username: &Username, at: Timestamp) -> Identity {
    let NewIdentity {
        issuer,
        subject,
        provider,
        display_hint: known_as,
    } = new;
    Identity {
        issuer,
        subject,
        provider,
        display_hint: known_as,
        username: username.clone(),
        linked_at: at,
        last_used_at: None,
    }
}
