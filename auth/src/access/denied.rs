//! Somebody who is signed in asked for what they may not do. Told to log and audit, where it says more than that
//! somebody mistyped or has to confirm who they are; the same again and again is told now and then.
//!
//! Nobody waits for it: the record is written beside the answer, and whatever goes wrong there changes nothing about
//! the refusal.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    Action, Auth, AuthError, AuthStore, Caller, Origin, Permit, Realm, Username,
    audit::{AuditAction, NewAuditEntry},
    throttle::event_dedup::RateLimitedEvents,
};

/// What a page of another site asked for in somebody's name.
pub const CROSS_SITE: &str = "by_another_site";
/// What only the person may do, with whatever token.
pub const OWN_ACCOUNT: &str = "own_account";

/// Entries that are being written at once; what comes meanwhile is only counted.
const MAX_WRITERS: usize = 32;

/// Who was refused what, and when it was last told.
#[derive(Debug)]
pub(crate) struct DenialLog {
    reported: RateLimitedEvents<(Username, &'static str)>,
    writers: Arc<Semaphore>,
}

impl Default for DenialLog {
    fn default() -> Self {
        Self {
            reported: RateLimitedEvents::default(),
            writers: Arc::new(Semaphore::new(MAX_WRITERS)),
        }
    }
}

/// What was asked for.
#[derive(Clone, Debug)]
pub struct DeniedRequest<'a> {
    /// An [`Action`]'s name, [`OWN_ACCOUNT`] or [`BY_ANOTHER_SITE`].
    pub action: &'static str,
    /// Where, if that is anywhere.
    pub realm: Option<&'a Realm>,
    /// The host's words for it, as `DELETE /api/users/ada`: never with a secret in them.
    pub request: Option<String>,
    /// The other site, as the browser calls it.
    pub site: Option<String>,
}

impl<'a> DeniedRequest<'a> {
    #[must_use]
    pub fn new(action: &'static str, realm: Option<&'a Realm>, request: Option<String>) -> Self {
        Self {
            action,
            realm,
            request,
            site: None,
        }
    }

    /// Something that another site caused.
    #[must_use]
    pub fn cross_site(request: String, site: Option<String>) -> Self {
        Self {
            action: CROSS_SITE,
            realm: None,
            request: Some(request),
            site,
        }
    }
}

/// The word for it in the audit; `None` where it is no refusal that anybody would look into.
fn denial_reason(why: &AuthError, asked: &DeniedRequest<'_>) -> Option<&'static str> {
    match why {
        AuthError::NotAllowed { .. } => Some("not_allowed"),
        // Of a realm that is there: any other was mistyped.
        AuthError::RealmNotFound => asked.realm.map(|_| "not_allowed"),
        AuthError::InsufficientScope { .. } => Some("scope_missing"),
        AuthError::InteractiveSessionRequired => Some("not_in_person"),
        AuthError::CrossSite => Some("cross_site"),
        _ => None,
    }
}

impl<S: AuthStore> Auth<S> {
    /// As [`Caller::permit`], and a refusal is [noted](Self::note_refusal). `request` is as in [`Asked`].
    ///
    /// # Errors
    /// Those of [`Caller::permit`].
    pub fn permit<A: Action>(
        &self,
        caller: &Caller,
        realm: Option<&Realm>,
        request: Option<String>,
    ) -> Result<Permit<A>, AuthError> {
        caller.permit(realm).inspect_err(|why| {
            self.audit_denial(caller, &DeniedRequest::new(A::NAME, realm, request), why)
        })
    }

    /// The first of each caller and action, and then one in ten minutes that says how many there were.
    pub fn audit_denial(&self, caller: &Caller, asked: &DeniedRequest<'_>, why: &AuthError) {
        let Some(reason) = denial_reason(why, asked) else {
            return;
        };
        let (username, now) = (&caller.account().username, self.0.clock.now());
        let Some(times) = self
            .0
            .denials
            .reported
            .should_report(&(username.clone(), asked.action), now)
        else {
            return;
        };
        let address = caller
            .origin()
            .map(|from| from.address.to_canonical().to_string())
            .unwrap_or_default();
        tracing::warn!(%username, action = asked.action, reason, address, request = asked.request, times, "refused");
        let record = NewAuditEntry::new(&caller.actor(), AuditAction::ActionDenied, now)
            .subject(asked.action)
            .with_detail(|detail| {
                let realm = asked.realm.map(|realm| realm.id.as_str());
                let detail = detail
                    .reason(reason)
                    .with("realm", realm)
                    .with("request", asked.request.as_deref());
                detail
                    .with("site", asked.site.as_deref())
                    .with("times", (times > 1).then_some(times))
            });
        self.spawn_audit(async move |auth| {
            if let Err(error) = auth.record(record).await {
                tracing::error!(%error, "a refusal was not recorded");
            }
        });
    }

    /// A write with a session's cookie that another site caused. Whose it was is found out beside the answer.
    pub fn audit_cross_site(&self, cookie: &str, from: Origin, asked: DeniedRequest<'static>) {
        let cookie = cookie.to_owned();
        self.spawn_audit(async move |auth| {
            // A cookie that is nobody's harms nobody.
            if let Ok(caller) = auth.authenticate_cookie(&cookie).await {
                auth.audit_denial(
                    &caller.with_origin(Arc::new(from)),
                    &asked,
                    &AuthError::CrossSite,
                );
            }
        });
    }

    fn spawn_audit<F>(&self, note: impl FnOnce(Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Ok(slot) = Arc::clone(&self.0.denials.writers).try_acquire_owned() else {
            return;
        };
        let audit = note(self.clone());
        tokio::spawn(async move {
            audit.await;
            drop(slot);
        });
    }
}
