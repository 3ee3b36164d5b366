//! Content between its upload and the row that names it. Collecting takes only content that no
//! upload has held since the look-up of its row.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The claims on content, by the path of its marker. Cheap to clone; clones share them. One process
/// serves a data folder, so memory is enough.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims(Arc<Mutex<HashMap<PathBuf, Claim>>>);

#[derive(Debug)]
enum Claim {
    /// This many uploads may still name it.
    Pinned(usize),
    /// Collected if no upload takes it meanwhile.
    Suspected,
}

/// Content that an upload may still name. It is not collected before this is dropped.
#[derive(Debug)]
pub struct Pin {
    claims: Claims,
    marker: PathBuf,
}

/// Content that may be collected. An upload of the same bytes ends the suspicion.
#[derive(Debug)]
pub struct Suspicion {
    claims: Claims,
    marker: PathBuf,
}

impl Claims {
    pub(super) fn pin(&self, marker: PathBuf) -> Pin {
        let mut claims = self.lock();
        let claim = claims.entry(marker.clone()).or_insert(Claim::Pinned(0));
        *claim = match claim {
            Claim::Pinned(uploads) => Claim::Pinned(*uploads + 1),
            Claim::Suspected => Claim::Pinned(1),
        };
        drop(claims);
        Pin {
            claims: self.clone(),
            marker,
        }
    }

    /// `None` while an upload holds it.
    pub(super) fn suspect(&self, marker: PathBuf) -> Option<Suspicion> {
        let mut claims = self.lock();
        if claims.contains_key(&marker) {
            return None;
        }
        claims.insert(marker.clone(), Claim::Suspected);
        drop(claims);
        Some(Suspicion {
            claims: self.clone(),
            marker,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Claim>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pin {
    pub(super) fn marker(&self) -> &Path {
        &self.marker
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut claims = self.claims.lock();
        match claims.get_mut(&self.marker) {
            Some(Claim::Pinned(uploads)) if *uploads > 1 => *uploads -= 1,
            _ => drop(claims.remove(&self.marker)),
        }
    }
}

impl Suspicion {
    pub(super) fn marker(&self) -> &Path {
        &self.marker
    }

    /// Runs `remove` unless an upload took the content meanwhile. No upload can take it while
    /// `remove` runs.
    pub(super) fn while_unclaimed<T>(&self, remove: impl FnOnce() -> T) -> Option<T> {
        let claims = self.claims.lock();
        matches!(claims.get(&self.marker), Some(Claim::Suspected)).then(remove)
    }
}

impl Drop for Suspicion {
    fn drop(&mut self) {
        let mut claims = self.claims.lock();
        if matches!(claims.get(&self.marker), Some(Claim::Suspected)) {
            claims.remove(&self.marker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> PathBuf {
        PathBuf::from("lfs/unnamed/aa")
    }

    #[test]
    fn held_content_is_not_suspected() {
        let claims = Claims::default();
        let (first, second) = (claims.pin(marker()), claims.pin(marker()));
        drop(first);
        assert!(claims.suspect(marker()).is_none());
        drop(second);
        assert!(claims.suspect(marker()).is_some());
    }

    #[test]
    fn upload_of_suspected_content_ends_the_suspicion() {
        let claims = Claims::default();
        let suspicion = claims.suspect(marker()).unwrap();
        let pin = claims.pin(marker());
        assert_eq!(suspicion.while_unclaimed(|| "removed"), None);
        drop(pin);
        assert_eq!(
            suspicion.while_unclaimed(|| "removed"),
            None,
            "the upload may have named it"
        );
        drop(suspicion);
        let again = claims.suspect(marker()).unwrap();
        assert_eq!(again.while_unclaimed(|| "removed"), Some("removed"));
    }

    #[test]
    fn ended_suspicion_does_not_release_a_pin() {
        let claims = Claims::default();
        let suspicion = claims.suspect(marker()).unwrap();
        let pin = claims.pin(marker());
        drop(suspicion);
        assert!(claims.suspect(marker()).is_none());
        drop(pin);
        assert!(claims.lock().is_empty());
    }
}
