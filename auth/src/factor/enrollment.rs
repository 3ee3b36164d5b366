//! Enrollment of second factors: a TOTP secret and its confirmation, and the storage of any new
//! factor. Each change requires a recent sign-in and ends every other session.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Factor, FactorId, FactorKind, OneTimeCode, RecoveryCode, totp};
use crate::{
    AuthError, AuthMethod, AuthMethods, AuthStore, Caller, Factors, Origin, SecurityNotice, Token,
    TokenKind,
    audit::AuditAction,
    error::FactorError,
    store::{
        OneTimeKind,
        one_time::{OneTime, StoredToken},
    },
    throttle::CredentialKind,
};

/// Lifetime of a secret that is not yet confirmed.
const ENROLLMENT_LIFETIME: Duration = Duration::from_mins(15);
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
    /// Creates a TOTP secret, valid for this session and 15 minutes. It replaces an unconfirmed
    /// one.
    ///
    /// # Errors
    /// `FactorError::FactorTaken` if an authenticator app exists; `AccessError::StepUpRequired`.
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
    /// `FactorError::EnrollmentExpired` if no secret was created or it has expired;
    /// `FactorError::EnrollmentCodeInvalid`, which leaves the enrollment open; otherwise as
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
            .audit_and_notify_about(
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
