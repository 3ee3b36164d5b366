//! Management of one's own second factors. Each change requires a recent sign-in and ends every
//! other session.

use crate::error::{AccessError, AccountError, FactorError};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Factor, FactorId, FactorKind, OneTimeCode, RecoveryCode, recovery_code::CODE_COUNT, totp,
};
use crate::{
    AuthError, AuthMethod, AuthMethods, AuthStore, Caller, DisplayName, Factors, Origin,
    SecurityNotice, Token, TokenKind,
    audit::{AuditAction, NewAuditEntry},
    store::{
        FactorChange, FactorChangeRejected, MinimumFactors, OneTimeKind, Removal,
        one_time::{OneTime, StoredToken},
    },
    throttle::CredentialKind,
};

/// Lifetime of a secret that is not yet confirmed.
const ENROLLMENT_LIFETIME: Duration = Duration::from_mins(15);
/// Characters in a factor's name.
const MAX_NAME_CHARS: usize = 64;

/// A TOTP secret that is shown to its owner and not yet confirmed.
#[derive(Debug)]
pub struct NewTotp {
    /// Base32, for manual entry.
    pub secret: SecretString,
    /// `otpauth://totp/…`
    pub uri: SecretString,
}

/// A factor that was enrolled.
#[derive(Debug)]
pub struct EnrolledFactor {
    pub factor: Factor,
    /// Created with the first factor. Returned here only.
    pub recovery_codes: Vec<RecoveryCode>,
}

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

/// The body of an [`OneTimeKind::Enrollment`] token.
#[derive(Serialize, Deserialize)]
struct TotpEnrollment {
    factor: String,
    session: String,
    sealed: String,
}

impl OneTime for TotpEnrollment {
    const KIND: OneTimeKind = OneTimeKind::Enrollment;
    const LIFETIME: Duration = ENROLLMENT_LIFETIME;
}

impl<S: AuthStore> Factors<'_, S> {
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

    /// Creates a TOTP secret, valid for this session and 15 minutes. It replaces an unconfirmed
    /// one.
    ///
    /// # Errors
    /// [`FactorError::FactorTaken`](crate::error::FactorError::FactorTaken) if an authenticator app exists; [`AccessError::StepUpRequired`](crate::error::AccessError::StepUpRequired).
    pub async fn start_totp(self, caller: &Caller) -> Result<NewTotp, AuthError> {
        caller.require_recent()?;
        if caller.factors().contains(FactorKind::Totp) {
            return Err(AuthError::Factor(FactorError::FactorTaken));
        }
        let (username, rng) = (&caller.account().username, &self.0.core.rng);
        let (id, raw) = (FactorId::random(rng), rng.bytes::<{ totp::SECRET_BYTES }>());
        let secret = SecretSlice::from(raw.to_vec());
        let sealed = self
            .0
            .factors
            .sealer
            .seal(secret.expose_secret(), id.as_str(), rng)?;
        let session = caller.session().id.as_str().to_owned();
        let enrollment = TotpEnrollment {
            factor: id.as_str().to_owned(),
            session,
            sealed,
        };
        let now = self.0.core.clock.now();
        self.0
            .core
            .store
            .delete_tokens(OneTimeKind::Enrollment, username)
            .await?;
        // The row is found by owner and session. No token leads to this hash.
        let hash = Token::random(TokenKind::Flow, rng).hash();
        self.0
            .core
            .one_time()
            .insert(&enrollment, hash, Some(username), now)
            .await?;
        let (secret, uri) =
            totp::otpauth_uri(secret.expose_secret(), &self.app_issuer(), username)?;
        Ok(NewTotp { secret, uri })
    }

    /// Confirms the secret with a code of the app. The code cannot sign in afterwards.
    ///
    /// # Errors
    /// [`FactorError::EnrollmentExpired`](crate::error::FactorError::EnrollmentExpired) if no secret was created or it has expired;
    /// [`FactorError::EnrollmentCodeInvalid`](crate::error::FactorError::EnrollmentCodeInvalid), which leaves the enrollment open; otherwise as
    /// `start_totp`.
    pub async fn confirm_totp(
        self,
        caller: &Caller,
        code: &OneTimeCode,
        from: &Origin,
    ) -> Result<EnrolledFactor, AuthError> {
        caller.require_recent()?;
        let (username, now) = (&caller.account().username, self.0.core.clock.now());
        let enrollments = self
            .0
            .core
            .one_time()
            .list::<TotpEnrollment>(Some(username))
            .await?;
        let newest = enrollments.into_iter().next().transpose()?;
        let StoredToken { row, body: pending } = newest.ok_or(FactorError::EnrollmentExpired)?;
        if pending.session != caller.session().id.as_str() {
            return Err(AuthError::Factor(FactorError::EnrollmentExpired));
        }
        let factor = Factor {
            id: FactorId::new(&pending.factor),
            username: username.clone(),
            kind: FactorKind::Totp,
            name: "Authenticator app".to_owned(),
            body: pending.sealed,
            counter: 0,
            created_at: now,
            last_used_at: None,
            used_at: None,
        };
        let totp = self.unseal_totp(&factor)?;
        let step = code
            .digits()
            .and_then(|digits| totp.matching_step(digits, now))
            .ok_or(AuthError::Factor(FactorError::EnrollmentCodeInvalid))?;
        self.0
            .core
            .one_time()
            .consume::<TotpEnrollment>(&row.hash)
            .await?
            .ok_or(AuthError::Factor(FactorError::EnrollmentExpired))?;
        self.add_factor(
            caller,
            Factor {
                counter: step,
                ..factor
            },
            AuthMethods::of(&[AuthMethod::Otp]),
            from,
        )
        .await
    }

    /// Stores the factor, with recovery codes if there are none. The session gains the methods
    /// `proved`, and every other session ends.
    pub(crate) async fn add_factor(
        self,
        caller: &Caller,
        factor: Factor,
        proved: AuthMethods,
        from: &Origin,
    ) -> Result<EnrolledFactor, AuthError> {
        let has_codes = self
            .factor_kinds(&factor.username)
            .await?
            .contains(FactorKind::Recovery);
        let codes = if has_codes {
            Vec::new()
        } else {
            self.generate_recovery_codes()
        };
        let mut change = self.factor_change(caller, AuditAction::FactorAdded);
        change.detail = json!({ "facts": { "kind": factor.kind.as_str(), "name": factor.name } });
        change.add = self.recovery_code_factors(caller, &codes);
        change.add.push(factor.clone());
        change.keep = change
            .keep
            .map(|(session, methods)| (session, methods.union(proved)));
        self.change_factors(caller, change).await?;
        if factor.kind == FactorKind::Totp {
            self.0
                .throttling()
                .reset_for_new_secret(&factor.username, CredentialKind::Totp)
                .await?;
        }
        if !codes.is_empty() {
            self.0
                .throttling()
                .reset_for_new_secret(&factor.username, CredentialKind::RecoveryCode)
                .await?;
        }
        self.0
            .mail()
            .tell_about(
                caller.account(),
                SecurityNotice::FactorAdded,
                &factor.name,
                from,
            )
            .await?;
        Ok(EnrolledFactor {
            factor,
            recovery_codes: codes,
        })
    }

    /// # Errors
    /// [`FactorError::NoSuchFactor`](crate::error::FactorError::NoSuchFactor); [`FactorError::LastFactor`](crate::error::FactorError::LastFactor) if the installation requires one;
    /// [`AccessError::StepUpRequired`](crate::error::AccessError::StepUpRequired).
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
            .tell_about(caller.account(), SecurityNotice::FactorRemoved, &name, from)
            .await
    }

    /// # Errors
    /// [`FactorError::NoSuchFactor`](crate::error::FactorError::NoSuchFactor); [`FactorError::InvalidFactorName`](crate::error::FactorError::InvalidFactorName).
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
    /// [`FactorError::NoSuchFactor`](crate::error::FactorError::NoSuchFactor) if there is no second factor to recover.
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

    fn factor_change(self, caller: &Caller, action: AuditAction) -> FactorChange {
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

    async fn change_factors(self, caller: &Caller, change: FactorChange) -> Result<(), AuthError> {
        let changed = self.0.core.store.change_factors(change).await;
        self.0.invalidate(&caller.account().username);
        changed.map_err(AuthError::from)
    }

    fn generate_recovery_codes(self) -> Vec<RecoveryCode> {
        (0..CODE_COUNT)
            .map(|_| RecoveryCode::random(&self.0.core.rng))
            .collect()
    }

    fn recovery_code_factors(self, caller: &Caller, codes: &[RecoveryCode]) -> Vec<Factor> {
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

    /// `Strongroom (files.example.org)`. A colon would end the name (Key Uri Format), so there is
    /// none.
    fn app_issuer(self) -> String {
        let (name, url) = (
            &self.0.core.settings.factors.app_name,
            &self.0.core.settings.issuer,
        );
        let host = url
            .split_once("://")
            .map_or("", |(_, rest)| rest)
            .trim_start_matches('[');
        match host
            .split([':', '/', ']'])
            .next()
            .filter(|host| !host.is_empty())
        {
            Some(host) => format!("{name} ({host})"),
            None => name.clone(),
        }
    }
}

/// # Errors
/// [`FactorError::InvalidFactorName`](crate::error::FactorError::InvalidFactorName) for an empty name, more than 64 characters, or invisible ones.
pub(crate) fn parse_factor_name(raw: &str) -> Result<String, AuthError> {
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
