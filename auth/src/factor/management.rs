//! Management of one's own second factors: list, rename, remove, and replace recovery codes. Each
//! change requires a recent sign-in and ends every other session.

use jiff::Timestamp;
use serde_json::json;

use super::{Factor, FactorId, FactorKind, RecoveryCode, recovery_code::CODE_COUNT};
use crate::{
    Account, AuthError, AuthStore, Caller, DisplayName, Factors, Origin, SecurityNotice,
    access::permit::Administrator,
    audit::{AuditAction, NewAuditEntry},
    error::{AccessError, AccountError, FactorError},
    store::{FactorChange, FactorChangeRejected, MinimumFactors, Removal},
    throttle::CredentialKind,
};

/// Characters in a factor's name.
const MAX_NAME_CHARS: usize = 64;

/// The second factors of an account, and whether one is required.
#[derive(Debug)]
pub struct FactorOverview {
    /// Authenticator apps and passkeys, oldest first.
    pub factors: Vec<Factor>,
    pub codes_left: usize,
    pub codes_made_at: Option<Timestamp>,
    /// Whether the installation requires a second factor of this account.
    pub required: bool,
}

impl<S: AuthStore> Factors<'_, S> {
    /// Whether this account is restricted until it has enrolled a second factor.
    #[must_use]
    pub fn enforces_second_factor(self, account: &Account) -> bool {
        self.0
            .core
            .settings
            .factors
            .required
            .applies_to(account.administrator.then_some(Administrator))
    }

    pub async fn factor_overview(self, caller: &Caller) -> Result<FactorOverview, AuthError> {
        let all = self
            .0
            .core
            .store
            .factors(&caller.account().username)
            .await?;
        let (codes, factors): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|one| one.kind == FactorKind::Recovery);
        Ok(FactorOverview {
            factors,
            codes_left: codes.iter().filter(|code| code.used_at.is_none()).count(),
            codes_made_at: codes.first().map(|code| code.created_at),
            required: self.enforces_second_factor(caller.account()),
        })
    }

    /// # Errors
    /// `FactorError::NoSuchFactor`; `FactorError::LastFactor` if the installation requires one;
    /// `AccessError::StepUpRequired`.
    pub async fn remove_factor(
        self,
        caller: &Caller,
        id: &FactorId,
        from: &Origin,
    ) -> Result<(), AuthError> {
        caller.require_recent()?;
        let found = self.0.core.store.factor(id).await?;
        let found = found.filter(|one| {
            one.username == caller.account().username && one.kind != FactorKind::Recovery
        });
        let found = found.ok_or(AuthError::Factor(FactorError::NoSuchFactor))?;
        let mut change = self.factor_change(caller, AuditAction::FactorRemoved);
        change.detail = json!({ "facts": { "kind": found.kind.as_str(), "name": found.name } });
        let name = found.name;
        change.remove = Removal::One(found.id);
        if self.enforces_second_factor(caller.account()) {
            change.minimum = MinimumFactors::One;
        }
        self.change_factors(caller, change).await?;
        self.0
            .mail()
            .audit_and_notify_about(caller.account(), SecurityNotice::FactorRemoved, &name, from)
            .await
    }

    /// # Errors
    /// `FactorError::NoSuchFactor`; `FactorError::InvalidFactorName`.
    pub async fn rename_factor(
        self,
        caller: &Caller,
        id: &FactorId,
        name: &str,
    ) -> Result<(), AuthError> {
        let name = parse_factor_name(name)?;
        if !self
            .0
            .core
            .store
            .rename_factor(&caller.account().username, id, name.clone())
            .await?
        {
            return Err(AuthError::Factor(FactorError::NoSuchFactor));
        }
        let record = NewAuditEntry::new(
            &caller.actor(),
            AuditAction::FactorRenamed,
            self.0.core.clock.now(),
        );
        self.0
            .mail()
            .record(record.with_detail(|detail| detail.with("name", name)))
            .await
    }

    /// Creates ten recovery codes and invalidates the old ones.
    ///
    /// # Errors
    /// `FactorError::NoSuchFactor` if there is no second factor to recover.
    pub async fn replace_recovery_codes(
        self,
        caller: &Caller,
        from: &Origin,
    ) -> Result<Vec<RecoveryCode>, AuthError> {
        caller.require_recent()?;
        let codes = self.generate_recovery_codes();
        let mut change = self.factor_change(caller, AuditAction::RecoveryCodesCreated);
        change.remove = Removal::Kind(FactorKind::Recovery);
        change.add = self.recovery_code_factors(caller, &codes);
        change.minimum = MinimumFactors::One;
        match self.change_factors(caller, change).await {
            Err(AuthError::Factor(FactorError::LastFactor)) => {
                return Err(AuthError::Factor(FactorError::NoSuchFactor));
            }
            answer => answer?,
        }
        self.0
            .throttling()
            .reset_for_new_secret(&caller.account().username, CredentialKind::RecoveryCode)
            .await?;
        self.0
            .mail()
            .audit_and_notify(caller.account(), SecurityNotice::RecoveryCodesCreated, from)
            .await?;
        Ok(codes)
    }

    pub(super) fn factor_change(self, caller: &Caller, action: AuditAction) -> FactorChange {
        FactorChange {
            username: caller.account().username.clone(),
            remove: Removal::Nothing,
            add: Vec::new(),
            minimum: MinimumFactors::None,
            keep: Some((caller.session().id.clone(), caller.session().methods)),
            unlink_identities: false,
            by: caller.actor(),
            action,
            detail: json!({}),
            at: self.0.core.clock.now(),
        }
    }

    pub(super) async fn change_factors(
        self,
        caller: &Caller,
        change: FactorChange,
    ) -> Result<(), AuthError> {
        let changed = self.0.core.store.change_factors(change).await;
        self.0.invalidate(&caller.account().username);
        changed.map_err(AuthError::from)
    }

    pub(super) fn generate_recovery_codes(self) -> Vec<RecoveryCode> {
        (0..CODE_COUNT)
            .map(|_| RecoveryCode::random(&self.0.core.rng))
            .collect()
    }

    pub(super) fn recovery_code_factors(
        self,
        caller: &Caller,
        codes: &[RecoveryCode],
    ) -> Vec<Factor> {
        let (username, created_at) = (&caller.account().username, self.0.core.clock.now());
        let stored = |code: &RecoveryCode| Factor {
            id: FactorId::random(&self.0.core.rng),
            username: username.clone(),
            kind: FactorKind::Recovery,
            name: String::new(),
            body: code.hash(username).as_str().to_owned(),
            counter: 0,
            created_at,
            last_used_at: None,
            used_at: None,
        };
        codes.iter().map(stored).collect()
    }
}

/// # Errors
/// `FactorError::InvalidFactorName` for an empty name, more than 64 characters, or invisible ones.
fn parse_factor_name(raw: &str) -> Result<String, AuthError> {
    let name = raw.trim();
    let is_valid =
        (1..=MAX_NAME_CHARS).contains(&name.chars().count()) && DisplayName::parse(name).is_ok();
    if is_valid {
        Ok(name.to_owned())
    } else {
        Err(AuthError::Factor(FactorError::InvalidFactorName))
    }
}

impl From<FactorChangeRejected> for AuthError {
    fn from(why: FactorChangeRejected) -> Self {
        match why {
            FactorChangeRejected::NoSuchAccount => AccountError::NoSuchAccount.into(),
            FactorChangeRejected::NoSuchFactor => FactorError::NoSuchFactor.into(),
            FactorChangeRejected::Duplicate => FactorError::FactorTaken.into(),
            FactorChangeRejected::LastFactor => FactorError::LastFactor.into(),
            FactorChangeRejected::SessionEnded => AccessError::InvalidToken.into(),
            FactorChangeRejected::Store(unavailable) => Self::Store(unavailable),
        }
    }
}
