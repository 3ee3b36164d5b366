//! The one gate before every place where a secret is tried, whatever the secret is: asked before any hashing or
//! database look-up of the secret, told of the outcome after. What it remembers is in `throttle`.
//!
//! ```text
//! let pass = self.may_try(&Trial { secret: Secret::Totp, account: Some(username), from }).await?;
//! if wrong { self.failed(pass).await?; return Err(…) }
//! self.succeeded(pass).await?;
//! ```

mod secret;

pub use secret::Secret;

use crate::{
    Auth, AuthError, AuthStore, Origin, Username,
    audit::{Deed, Record},
};

/// One try of one secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial<'a> {
    pub(crate) secret: Secret,
    /// Whose secret it would be; `None` where that is not known, or the name cannot be anybody's. A name that is
    /// nobody's counts like any other, so the answer says nothing about who exists.
    pub(crate) account: Option<&'a Username>,
    pub(crate) from: &'a Origin,
}

/// Leave to try once, to be handed back with the outcome. Dropped without one (all cores were busy, the database went
/// away) it costs nobody anything: only do so where the caller has learned nothing.
#[derive(Debug)]
#[must_use = "say how it ended: `failed` or `succeeded`"]
pub(crate) struct Pass {
    secret: Secret,
    /// Who is charged.
    account: Option<Username>,
    /// Whom it was about, if anybody.
    typed: Option<Username>,
    from: Origin,
}

impl Pass {
    /// For the audit, where it turned out only later whose secret it would have been.
    pub(crate) fn about(self, whose: Option<&Username>) -> Self {
        Self { typed: whose.cloned(), ..self }
    }
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`AuthError::Throttled`] with the time left.
    pub(crate) async fn may_try(&self, trial: &Trial<'_>) -> Result<Pass, AuthError> {
        let asked = self.0.throttle.ask(trial.account, trial.from.address, self.0.clock.now());
        if let Err(error) = asked {
            // Into the log only, and without a look at the account: who is slowed down must not keep the database busy.
            tell_log(trial.from, None, "throttled");
            return Err(error);
        }
        let typed = trial.account.cloned();
        let account = typed.clone().filter(|_| trial.secret.can_be_guessed());
        Ok(Pass { secret: trial.secret, account, typed, from: trial.from.clone() })
    }

    /// Charges whoever tried, and tells audit and log.
    pub(crate) async fn failed(&self, pass: Pass) -> Result<(), AuthError> {
        self.0.throttle.failed(pass.account.as_ref(), pass.from.address, self.0.clock.now());
        self.report(&pass).await
    }

    /// Charges whoever did what may be done only so often, though nothing was wrong.
    pub(crate) async fn spent(&self, pass: Pass) -> Result<(), AuthError> {
        self.0.throttle.failed(pass.account.as_ref(), pass.from.address, self.0.clock.now());
        Ok(())
    }

    /// The count for this secret begins anew, for whoever tried from there.
    pub(crate) async fn succeeded(&self, pass: Pass) -> Result<(), AuthError> {
        if let Some(account) = &pass.account {
            self.0.throttle.succeeded(account);
        }
        Ok(())
    }

    /// A wrong secret: into the audit and the log. A name that is nobody's is not told: it may be a password that was
    /// typed into the wrong field.
    async fn report(&self, pass: &Pass) -> Result<(), AuthError> {
        let known = match &pass.typed {
            // Looked up either way, so that it takes the same time.
            Some(name) => self.0.store.credentials(name).await?.map(|_| name),
            None => None,
        };
        let reason = pass.secret.as_str();
        tell_log(&pass.from, known, reason);
        let record = Record::tried(known, &pass.from, Deed::SignInRefused, self.0.clock.now());
        self.record(record.detailed(|detail| detail.because(reason))).await
    }
}

/// The line that fail2ban reads (docs/fail2ban.md): its text is stable, and nothing in it is anybody's free choice.
fn tell_log(from: &Origin, known: Option<&Username>, reason: &'static str) {
    let (address, account) = (from.address.to_canonical(), known.map_or("-", Username::as_str));
    metrics::counter!("strongroom_auth_failures_total", "reason" => reason).increment(1);
    tracing::warn!("strongroom auth failure: address={address} account={account} reason={reason}");
}
