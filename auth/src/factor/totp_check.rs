//! Verification of one-time codes, behind the throttle. Each valid code works once.

use secrecy::ExposeSecret as _;

use super::{
    Factor, FactorKind, FactorKinds, OneTimeCode, RecoveryCode, one_time_code::ParsedCode,
    totp::Totp,
};
use crate::{
    Account, Actor, AuthError, AuthMethod, AuthStore, Factors, Origin, SecurityNotice, Username,
    throttle::Attempt,
};

impl<S: AuthStore> Factors<'_, S> {
    /// The kinds that the account has, including unused recovery codes.
    pub(crate) async fn factor_kinds(self, of: &Username) -> Result<FactorKinds, AuthError> {
        let factors = self.0.core.store.factors(of).await?;
        Ok(FactorKinds::of(
            factors
                .iter()
                .filter(|factor| factor.used_at.is_none())
                .map(|factor| factor.kind),
        ))
    }

    /// Verifies the code and returns the methods it proves. `None` if it is wrong or was used
    /// before.
    ///
    /// A wrong code counts as a failure of this authenticator. A right password does not reset that
    /// count.
    ///
    /// # Errors
    /// `ThrottleError::Throttled`.
    pub(crate) async fn verify_code(
        self,
        owner: &Account,
        code: &OneTimeCode,
        from: &Origin,
    ) -> Result<Option<AuthMethod>, AuthError> {
        let attempt = Attempt {
            kind: code.credential_kind(),
            account: Some(&owner.username),
            from,
        };
        let guard = self.0.throttling().begin_attempt(&attempt).await?;
        let method = match &code.0 {
            ParsedCode::Totp(digits) => {
                self.consume_totp_code(&owner.username, digits.expose_secret())
                    .await?
            }
            ParsedCode::Recovery(code) => self.consume_recovery_code(owner, code, from).await?,
            ParsedCode::Malformed => None,
        };
        match method {
            Some(_) => self.0.throttling().succeeded(guard).await?,
            None => self.0.throttling().failed(guard).await?,
        }
        Ok(method)
    }

    async fn consume_totp_code(
        self,
        of: &Username,
        digits: &str,
    ) -> Result<Option<AuthMethod>, AuthError> {
        let factors = self.0.core.store.factors(of).await?;
        let Some(app) = factors
            .into_iter()
            .find(|factor| factor.kind == FactorKind::Totp)
        else {
            return Ok(None);
        };
        let now = self.0.core.clock.now();
        let Some(step) = self.unseal_totp(&app)?.matching_step(digits, now) else {
            return Ok(None);
        };
        // Of any number of parallel attempts with one code, only one advances the step (RFC 6238
        // §5.2).
        Ok(self
            .0
            .core
            .store
            .consume_totp_step(&app.id, step, now)
            .await?
            .then_some(AuthMethod::Otp))
    }

    pub(crate) fn unseal_totp(self, factor: &Factor) -> Result<Totp, AuthError> {
        let secret = self
            .0
            .factors
            .sealer
            .open(&factor.body, factor.id.as_str())?;
        Ok(Totp::new(secret.expose_secret()))
    }

    async fn consume_recovery_code(
        self,
        owner: &Account,
        code: &RecoveryCode,
        from: &Origin,
    ) -> Result<Option<AuthMethod>, AuthError> {
        let (of, now) = (&owner.username, self.0.core.clock.now());
        let by = Actor::owner(owner).with_origin(from);
        let Some(left) = self
            .0
            .core
            .store
            .consume_recovery_code(&by, &code.hash(of), now)
            .await?
        else {
            return Ok(None);
        };
        tracing::info!(username = %of, left, "recovery code used");
        self.0
            .mail()
            .audit_and_notify(owner, SecurityNotice::RecoveryCodeUsed, from)
            .await?;
        Ok(Some(AuthMethod::Recovery))
    }
}
