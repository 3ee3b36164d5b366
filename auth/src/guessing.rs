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

use crate::{Auth, AuthError, AuthStore, Origin, Username};

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
    account: Option<Username>,
    from: Origin,
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`AuthError::Throttled`] with the time left.
    pub(crate) async fn may_try(&self, trial: &Trial<'_>) -> Result<Pass, AuthError> {
        self.0.throttle.ask(trial.account, trial.from.address, self.0.clock.now())?;
        let account = trial.account.filter(|_| trial.secret.can_be_guessed()).cloned();
        Ok(Pass { secret: trial.secret, account, from: trial.from.clone() })
    }

    /// Charges whoever tried.
    pub(crate) async fn failed(&self, pass: Pass) -> Result<(), AuthError> {
        tracing::debug!(secret = pass.secret.as_str(), "a secret was wrong");
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
}
