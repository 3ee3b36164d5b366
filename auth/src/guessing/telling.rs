//! What is told of wrong secrets and refused tries: to the audit, the log and the metrics. This is the only place.

use super::{AttemptGuard, Denial, Blocked, Attempt};
use crate::{
    Auth, AuthError, AuthStore, Origin, Username,
    audit::{Deed, NewAuditEntry},
};

impl<S: AuthStore> Auth<S> {
    /// A wrong secret: into the audit and the log. A name that is nobody's is not told: it may be a password that was
    /// typed into the wrong field.
    pub(super) async fn report_failure(&self, pass: &AttemptGuard) -> Result<(), AuthError> {
        let known = self.known(pass.claimed_account.as_ref()).await?;
        let reason = pass.secret.as_str();
        fail2ban_line(&pass.from, known, reason);
        let record = NewAuditEntry::attempt(known, &pass.from, Deed::SignInRefused, self.0.clock.now());
        self.record(record.with_detail(|detail| detail.reason(reason)))
            .await
    }

    /// Into the log, and into the audit now and then: who is slowed down must not keep the database busy.
    pub(super) async fn report_denial(
        &self,
        trial: &Attempt<'_>,
        shut: Blocked,
    ) -> Result<AuthError, AuthError> {
        let Blocked(bucket, refusal) = shut;
        let by = if bucket.username().is_some() {
            "account"
        } else {
            "network"
        };
        let secret = trial.secret.as_str();
        metrics::counter!("strongroom_throttled_total", "secret" => secret, "by" => by)
            .increment(1);
        fail2ban_line(trial.from, None, "throttled");
        let now = self.0.clock.now();
        if let Some(times) = self.0.throttle.notes.should_report(&bucket, now) {
            let known = self.known(trial.account).await?;
            let record =
                NewAuditEntry::attempt(known, trial.from, Deed::Throttled, now).with_detail(|detail| {
                    let detail = detail.reason(secret).with("by", by).with("times", times);
                    detail.with("until_lifted", (refusal == Denial::LockedOut).then_some(true))
                });
            self.record(record).await?;
        }
        Ok(match refusal {
            Denial::RetryAfter(retry_after) => AuthError::Throttled { retry_after },
            Denial::LockedOut => AuthError::LockedOut,
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
fn fail2ban_line(from: &Origin, known: Option<&Username>, reason: &'static str) {
    let (address, account) = (
        from.address.to_canonical(),
        known.map_or("-", Username::as_str),
    );
    metrics::counter!("strongroom_auth_failures_total", "reason" => reason).increment(1);
    tracing::warn!("strongroom auth failure: address={address} account={account} reason={reason}");
}
