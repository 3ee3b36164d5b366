//! What is told of wrong secrets and refused tries: to the audit, the log and the metrics. This is the only place.

use super::{Pass, Refusal, Shut, Trial};
use crate::{
    Auth, AuthError, AuthStore, Origin, Username,
    audit::{Deed, Record},
};

impl<S: AuthStore> Auth<S> {
    /// A wrong secret: into the audit and the log. A name that is nobody's is not told: it may be a password that was
    /// typed into the wrong field.
    pub(super) async fn report(&self, pass: &Pass) -> Result<(), AuthError> {
        let known = self.known(pass.typed.as_ref()).await?;
        let reason = pass.secret.as_str();
        tell_log(&pass.from, known, reason);
        let record = Record::tried(known, &pass.from, Deed::SignInRefused, self.0.clock.now());
        self.record(record.detailed(|detail| detail.because(reason)))
            .await
    }

    /// Into the log, and into the audit now and then: who is slowed down must not keep the database busy.
    pub(super) async fn refuse(
        &self,
        trial: &Trial<'_>,
        shut: Shut,
    ) -> Result<AuthError, AuthError> {
        let Shut(bucket, refusal) = shut;
        let by = if bucket.username().is_some() {
            "account"
        } else {
            "network"
        };
        let secret = trial.secret.as_str();
        metrics::counter!("strongroom_throttled_total", "secret" => secret, "by" => by)
            .increment(1);
        tell_log(trial.from, None, "throttled");
        let now = self.0.clock.now();
        if let Some(times) = self.0.gate.notes.due(&bucket, now) {
            let known = self.known(trial.account).await?;
            let record =
                Record::tried(known, trial.from, Deed::Throttled, now).detailed(|detail| {
                    let detail = detail.because(secret).fact("by", by).fact("times", times);
                    detail.fact("until_lifted", (refusal == Refusal::Shut).then_some(true))
                });
            self.record(record).await?;
        }
        Ok(match refusal {
            Refusal::Wait(retry_after) => AuthError::Throttled { retry_after },
            Refusal::Shut => AuthError::LockedOut,
        })
    }

    /// Looked up for every name, so that it takes the same time.
    async fn known<'a>(
        &self,
        typed: Option<&'a Username>,
    ) -> Result<Option<&'a Username>, AuthError> {
        let Some(name) = typed else { return Ok(None) };
        Ok(self.0.store.credentials(name).await?.map(|_| name))
    }
}

/// The line that fail2ban reads (docs/fail2ban.md): its text is stable, and nothing in it is anybody's free choice.
fn tell_log(from: &Origin, known: Option<&Username>, reason: &'static str) {
    let (address, account) = (
        from.address.to_canonical(),
        known.map_or("-", Username::as_str),
    );
    metrics::counter!("strongroom_auth_failures_total", "reason" => reason).increment(1);
    tracing::warn!("strongroom auth failure: address={address} account={account} reason={reason}");
}
