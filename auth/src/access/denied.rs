//! Denied requests of authenticated callers: reported to log and audit, unless the cause is a
//! mistyped name or a due step-up. Repetitions are reported at intervals.
//!
//! Records are written in the background. A failure to write one does not change the response.

use std::sync::Arc;

use crate::{
    Action, Auth, AuthError, AuthStore, Caller, Origin, Permit, Realm,
    audit::{AuditAction, NewAuditEntry},
    error::AccessError,
};

/// A request that a page of another site caused, with the user's cookie.
pub const CROSS_SITE: &str = "by_another_site";
/// An operation on one's own account, which no client may perform.
pub const OWN_ACCOUNT: &str = "own_account";

/// The denied operation.
#[derive(Clone, Debug)]
pub struct DeniedRequest<'a> {
    /// The name of an [`Action`], [`OWN_ACCOUNT`] or [`CROSS_SITE`].
    pub action: &'static str,
    /// The realm, if the request has one.
    pub realm: Option<&'a Realm>,
    /// The request in the host's words, such as `DELETE /api/users/ada`. It never contains a
    /// secret.
    pub request: Option<String>,
    /// The other site's origin, from the browser.
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

    /// A cross-site request.
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

/// The reason in the audit; `None` for denials that need no report.
fn denial_reason(caller: &Caller, why: &AuthError) -> Option<&'static str> {
    match why {
        AuthError::Access(AccessError::NotAllowed { .. }) => Some("not_allowed"),
        // An administrator knows every realm, and mistyped this name. For others the record is the same
        // whether the realm exists or not: they read it.
        AuthError::Access(AccessError::RealmNotFound) => {
            (!caller.account().administrator).then_some("not_found")
        }
        AuthError::Access(AccessError::InsufficientScope { .. }) => Some("scope_missing"),
        AuthError::Access(AccessError::InteractiveSessionRequired) => Some("not_in_person"),
        AuthError::Access(AccessError::CrossSite) => Some("cross_site"),
        _ => None,
    }
}

/// Whether the response told the caller that the realm exists. The record says no more than it.
fn names_realm(why: &AuthError) -> bool {
    !matches!(why, AuthError::Access(AccessError::RealmNotFound))
}

impl<S: AuthStore> Auth<S> {
    /// As [`Caller::permit`], and records a denial. `request` is as in [`DeniedRequest`].
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
            self.audit_denial(caller, &DeniedRequest::new(A::NAME, realm, request), why);
        })
    }

    /// Records the first denial of each caller and action, then one every ten minutes with the
    /// count.
    pub fn audit_denial(&self, caller: &Caller, denied: &DeniedRequest<'_>, why: &AuthError) {
        let Some(reason) = denial_reason(caller, why) else {
            return;
        };
        let (username, now) = (&caller.account().username, self.0.core.clock.now());
        let Some(times) = self
            .0
            .denials
            .reported
            .should_report(&(username.clone(), denied.action), now)
        else {
            return;
        };
        let address = caller
            .origin()
            .map(|from| from.address.to_canonical().to_string())
            .unwrap_or_default();
        tracing::warn!(%username, action = denied.action, reason, address, request = denied.request, times, "request denied");
        let record = NewAuditEntry::new(&caller.actor(), AuditAction::ActionDenied, now)
            .subject(denied.action)
            .with_detail(|detail| {
                let realm = denied.realm.filter(|_| names_realm(why));
                let realm = realm.map(|realm| realm.id.as_str());
                let detail = detail
                    .reason(reason)
                    .with("realm", realm)
                    .with("request", denied.request.as_deref());
                detail
                    .with("site", denied.site.as_deref())
                    .with("times", (times > 1).then_some(times))
            });
        self.spawn_audit(async move |auth| {
            if let Err(error) = auth.mail().record(record).await {
                tracing::error!(%error, "denied request could not be recorded");
            }
        });
    }

    /// Records a cross-site write with a session cookie. The session is looked up in the
    /// background.
    pub fn audit_cross_site(&self, cookies: &[&str], from: Origin, denied: DeniedRequest<'static>) {
        let cookies: Vec<String> = cookies.iter().map(|&cookie| cookie.to_owned()).collect();
        let from = Arc::new(from);
        self.spawn_audit(async move |auth| {
            for cookie in cookies {
                // An unknown cookie needs no record.
                if let Ok(caller) = auth.sessions().authenticate_cookie(&cookie).await {
                    auth.audit_denial(
                        &caller.with_origin(Arc::clone(&from)),
                        &denied,
                        &AuthError::Access(AccessError::CrossSite),
                    );
                }
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
