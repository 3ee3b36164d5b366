//! Somebody who is signed in asked for what they may not do. Told to log and audit, where it says more than that
//! somebody mistyped; the same again and again is told now and then.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    Auth, AuthError, AuthStore, Caller, Username,
    audit::{Deed, Record},
    clock,
};

/// The same refusal of the same account is told once in so long.
const TELL_AGAIN: Duration = Duration::from_mins(10);
const REMEMBERED: usize = 10_000;

/// Who was refused what, and when it was last told.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<(Username, &'static str), Timestamp>>);

impl Refusals {
    fn is_news(&self, who: &Username, action: &'static str, now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (who.clone(), action);
        if told.get(&key).is_some_and(|at| now < clock::after(*at, TELL_AGAIN)) {
            return false;
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(key, now);
        true
    }
}

impl<S: AuthStore> Auth<S> {
    /// Whatever goes wrong here changes nothing about the refusal.
    pub(crate) async fn note_refusal(&self, caller: &Caller, action: &'static str, why: &AuthError) {
        let reason = match why {
            AuthError::NotAllowed { .. } | AuthError::RealmNotFound => "not_allowed",
            AuthError::ScopeMissing { .. } => "scope_missing",
            _ => return,
        };
        let (username, now) = (&caller.account().username, self.0.clock.now());
        if !self.0.refusals.is_news(username, action, now) {
            return;
        }
        tracing::warn!(%username, action, reason, "refused");
        let record = Record::new(&caller.actor(), Deed::ActionRefused, now).about(action);
        if let Err(error) = self.record(record.detailed(|detail| detail.because(reason))).await {
            tracing::error!(%error, "a refusal was not recorded");
        }
    }
}
