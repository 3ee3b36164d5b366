//! Registration, renaming and removal of one's own passkeys.

use super::{
    AddedPasskey, NewPasskey, PasskeyBody, PasskeyChallenge, PasskeyError, PasskeyInfo,
    StoredPasskey,
    authentication::METHODS,
    ceremony::{CeremonyBinding, CeremonyState},
    factor_id,
};
use crate::{
    AuthError, AuthMethods, AuthStore, Caller, DisplayName, Factor, FactorId, FactorKind, Origin,
    Passkeys, error::FactorError,
};

impl<S: AuthStore> Passkeys<'_, S> {
    /// Oldest first.
    pub async fn passkeys(self, caller: &Caller) -> Result<Vec<PasskeyInfo>, AuthError> {
        let stored = self.stored_passkeys(&caller.account().username).await?;
        Ok(stored.into_iter().map(passkey_info).collect())
    }

    /// # Errors
    /// [`PasskeyError::Unavailable`], [`PasskeyError::TooMany`], `AccessError::StepUpRequired`.
    pub async fn start_registration(self, caller: &Caller) -> Result<PasskeyChallenge, AuthError> {
        caller.require_recent()?;
        let (relying_party, account) = (self.relying_party()?, caller.account());
        let stored = self.stored_passkeys(&account.username).await?;
        self.is_below_limit(&stored)?;
        let new = || uuid::Uuid::from_bytes(self.0.core.rng.bytes());
        let handle = stored.first().map_or_else(new, |stored| stored.body.handle);
        let ids = stored
            .iter()
            .map(|stored| stored.body.passkey.cred_id().clone())
            .collect();
        let (options, state) = relying_party.start_registration(handle, account, ids)?;
        let ceremony_state = CeremonyState::Enrol { handle, state };
        let ceremony = self
            .store_ceremony(
                CeremonyBinding::for_session(caller),
                &account.username,
                ceremony_state,
            )
            .await?;
        Ok(PasskeyChallenge { ceremony, options })
    }

    /// # Errors
    /// [`PasskeyError::CeremonyExpired`], [`PasskeyError::Malformed`],
    /// [`PasskeyError::AlreadyRegistered`], [`PasskeyError::TooMany`].
    pub async fn finish_registration(
        self,
        caller: &Caller,
        new: NewPasskey<'_>,
        from: &Origin,
    ) -> Result<AddedPasskey, AuthError> {
        caller.require_recent()?;
        let (relying_party, username) = (self.relying_party()?, &caller.account().username);
        let ceremony_state = self
            .consume_ceremony(new.response.ceremony, &CeremonyBinding::for_session(caller))
            .await?;
        let CeremonyState::Enrol { handle, state } = ceremony_state else {
            return Err(PasskeyError::CeremonyExpired.into());
        };
        let passkey = relying_party.finish_registration(new.response.credential, &state)?;
        self.is_below_limit(&self.stored_passkeys(username).await?)?;
        let (id, now) = (factor_id(passkey.cred_id()), self.0.core.clock.now());
        let body = PasskeyBody {
            handle,
            passkey,
            ended: Vec::new(),
        };
        let factor = Factor {
            id,
            username: username.clone(),
            kind: FactorKind::Passkey,
            name: new.name.as_str().to_owned(),
            body: body.to_json()?,
            counter: 0,
            created_at: now,
            last_used_at: None,
            used_at: None,
        };
        let proved = AuthMethods::of(&METHODS);
        let added = self
            .0
            .factors()
            .add_factor(caller, factor, proved, from)
            .await
            .map_err(|error| match error {
                AuthError::Factor(FactorError::FactorTaken) => {
                    PasskeyError::AlreadyRegistered.into()
                }
                other => other,
            })?;
        Ok(AddedPasskey {
            passkey: passkey_info(StoredPasskey {
                factor: added.factor,
                body,
            }),
            recovery_codes: added.recovery_codes,
        })
    }

    /// Removes the passkey and ends every other session.
    ///
    /// # Errors
    /// [`PasskeyError::NotRegistered`]; `FactorError::LastFactor` if the installation requires one;
    /// `AccessError::StepUpRequired`.
    pub async fn remove_passkey(
        self,
        caller: &Caller,
        id: &FactorId,
        from: &Origin,
    ) -> Result<(), AuthError> {
        self.own_passkey(caller, id).await?;
        self.0.factors().remove_factor(caller, id, from).await
    }

    fn is_below_limit(self, stored: &[StoredPasskey]) -> Result<(), AuthError> {
        let max = self.0.core.settings.passkeys.max_passkeys;
        if stored.len() < max {
            Ok(())
        } else {
            Err(PasskeyError::TooMany { max }.into())
        }
    }

    /// # Errors
    /// [`PasskeyError::NotRegistered`].
    pub async fn rename_passkey(
        self,
        caller: &Caller,
        id: &FactorId,
        name: DisplayName,
    ) -> Result<PasskeyInfo, AuthError> {
        let username = &caller.account().username;
        let mut found = self.own_passkey(caller, id).await?;
        if !self
            .0
            .core
            .store
            .rename_factor(username, id, name.as_str().to_owned())
            .await?
        {
            return Err(PasskeyError::NotRegistered.into());
        }
        name.as_str().clone_into(&mut found.factor.name);
        Ok(passkey_info(found))
    }

    async fn own_passkey(self, caller: &Caller, id: &FactorId) -> Result<StoredPasskey, AuthError> {
        let stored = self.stored_passkeys(&caller.account().username).await?;
        stored
            .into_iter()
            .find(|stored| stored.factor.id == *id)
            .ok_or(AuthError::Factor(FactorError::Passkey(
                PasskeyError::NotRegistered,
            )))
    }
}

fn passkey_info(stored: StoredPasskey) -> PasskeyInfo {
    let StoredPasskey { factor, body } = stored;
    PasskeyInfo {
        id: factor.id,
        name: factor.name,
        created_at: factor.created_at,
        last_used_at: factor.last_used_at,
        synced: body.is_synced(),
    }
}
