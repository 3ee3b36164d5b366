//! Reports wrong secrets and throttled attempts to the audit, the log and the metrics. No other
//! code reports them.

use super::{Attempt, AttemptGuard, Blocked, Denial};
use crate::{
    AuthError, AuthStore, Origin, Username,
    audit::{AuditAction, NewAuditEntry},
    error::ThrottleError,
    handles::Throttling,
};

impl<S: AuthStore> Throttling<'_, S> {
    /// Reports a wrong secret to audit and log. A name without an account is not recorded: it may
    /// be a password in the wrong field.
    pub(crate) async fn report_failure(self, guard: &AttemptGuard) -> Result<(), AuthError> {
        let known = self
            .existing_account(guard.claimed_account.as_ref())
            .await?;
        let reason = guard.kind.as_str();
        fail2ban_line(&guard.from, known, reason);
        let record = NewAuditEntry::attempt(
            known,
            &guard.from,
            AuditAction::SignInFailed,
            self.0.core.clock.now(),
        );
        self.0
            .mail()
            .record(record.with_detail(|detail| detail.reason(reason)))
            .await
    }

    /// Reports a throttled attempt to the log, and at intervals to the audit. A throttled client
    /// must not cause database writes.
    pub(crate) async fn report_denial(
        self,
        attempt: &Attempt<'_>,
        blocked: Blocked,
    ) -> Result<AuthError, AuthError> {
        let Blocked(bucket, denial) = blocked;
        let by = if bucket.username().is_some() {
            "account"
        } else {
            "network"
        };
        let kind = attempt.kind.as_str();
        metrics::counter!("strongroom_throttled_total", "secret" => kind, "by" => by).increment(1);
        fail2ban_line(attempt.from, None, "throttled");
        let now = self.0.core.clock.now();
        if let Some(times) = self.0.throttle.reported.should_report(&bucket, now) {
            let known = self.existing_account(attempt.account).await?;
            let record = NewAuditEntry::attempt(known, attempt.from, AuditAction::Throttled, now)
                .with_detail(|detail| {
                    let detail = detail.reason(kind).with("by", by).with("times", times);
                    detail.with(
                        "until_lifted",
                        (denial == Denial::LockedOut).then_some(true),
                    )
                });
            self.0.mail().record(record).await?;
        }
        Ok(match denial {
            Denial::RetryAfter(retry_after) => {
                AuthError::Throttle(ThrottleError::Throttled { retry_after })
            }
            Denial::LockedOut => AuthError::Throttle(ThrottleError::LockedOut),
        })
    }

    /// Every name is looked up, so that the time is the same.
    async fn existing_account(
        self,
        claimed_account: Option<&Username>,
    ) -> Result<Option<&Username>, AuthError> {
        let Some(name) = claimed_account else {
            return Ok(None);
        };
        Ok(self.0.core.store.credentials(name).await?.map(|_| name))
    }
}

/// The line that fail2ban reads (docs/fail2ban.md). Its text is stable and contains no
/// client-controlled text.
fn fail2ban_line(from: &Origin, known: Option<&Username>, reason: &'static str) {
    let (address, account) = (
        from.address.to_canonical(),
        known.map_or("-", Username::as_str),
    );
    metrics::counter!("strongroom_auth_failures_total", "reason" => reason).increment(1);
    tracing::warn!("strongroom auth failure: address={address} account={account} reason={reason}");
}
