//! The one gate before every place where a secret is tried, whatever the secret is: asked before any hashing or
//! database look-up of the secret, told of the outcome after. What it remembers is in `throttle`.

use crate::{Auth, AuthError, AuthStore, Origin, Username};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Secret {
    Password,
}

/// One try of one secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial<'a> {
    pub(crate) secret: Secret,
    /// Whose secret it would be; `None` where that is not known, or the name cannot be anybody's. A name that is
    /// nobody's counts like any other, so the answer says nothing about who exists.
    pub(crate) account: Option<&'a Username>,
    pub(crate) from: &'a Origin,
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`AuthError::Throttled`] with the time left.
    pub(crate) async fn may_try(&self, trial: &Trial<'_>) -> Result<(), AuthError> {
        self.0.throttle.ask(trial.account, trial.from.address, self.0.clock.now())
    }

    pub(crate) async fn failed(&self, trial: &Trial<'_>) -> Result<(), AuthError> {
        self.0.throttle.failed(trial.account, trial.from.address, self.0.clock.now());
        Ok(())
    }

    /// The account's count begins anew.
    pub(crate) async fn succeeded(&self, trial: &Trial<'_>) -> Result<(), AuthError> {
        if let Some(account) = trial.account {
            self.0.throttle.succeeded(account);
        }
        Ok(())
    }
}
