//! What kinds of hashes the living accounts have: our own, those of other parameters, and imported ones. Verifying one
//! of each kind takes a time of its own, so a refusal that is to say nothing about whose it is has to take all of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use argon2::{Params, password_hash::phc};
use base64::{
    Engine as _, alphabet,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};

use crate::{SecureRandom, PasswordHash, pepper};

/// So long may a refusal keep a core in all, about, on a machine like ours: half of what a sign-in waits for one.
const MOST: Duration = Duration::from_secs(1);

/// All of one kind take the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HashProfile {
    Argon2id {
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    Bcrypt {
        cost: u32,
    },
}

impl HashProfile {
    /// `None` for what nobody can verify.
    pub(super) fn of(hash: &PasswordHash) -> Option<Self> {
        if hash.is_bcrypt() {
            let parts: bcrypt::HashParts = hash.as_str().parse().ok()?;
            return Some(Self::Bcrypt {
                cost: parts.get_cost(),
            });
        }
        let phc = pepper::parse_tag(hash.as_str()).map_or(hash.as_str(), |(_, phc)| phc);
        Params::try_from(&phc::PasswordHash::new(phc).ok()?)
            .ok()
            .map(|params| Self::argon2id(&params))
    }

    pub(super) fn argon2id(params: &Params) -> Self {
        Self::Argon2id {
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
            lanes: params.p_cost(),
        }
    }

    /// About, from what was measured: 80 ms for 64 MiB and 3 passes, 250 ms for bcrypt of cost 12.
    fn cost(self) -> Duration {
        match self {
            Self::Argon2id {
                memory_kib, passes, ..
            } => Duration::from_nanos(407).saturating_mul(memory_kib.saturating_mul(passes)),
            Self::Bcrypt { cost } => Duration::from_micros(61)
                .saturating_mul(1_u32.checked_shl(cost).unwrap_or(u32::MAX)),
        }
    }

    /// Fits no password: salt and output are random.
    fn dummy(self, chance: &SecureRandom) -> PasswordHash {
        let (salt, tag) = (chance.bytes::<16>(), chance.bytes::<32>());
        PasswordHash::stored(&match self {
            Self::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => super::argon::phc_string((memory_kib, passes, lanes), &salt, &tag),
            Self::Bcrypt { cost } => {
                let base64 = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);
                format!(
                    "$2b${cost:02}${}{}",
                    base64.encode(salt),
                    base64.encode(&tag[..23])
                )
            }
        })
    }
}

#[derive(Clone)]
pub(crate) struct HashProfiles {
    ours: HashProfile,
    chance: SecureRandom,
    /// With a dummy of each, ours among them.
    known: Arc<Mutex<BTreeMap<HashProfile, PasswordHash>>>,
}

impl HashProfiles {
    pub(super) fn new(ours: HashProfile, chance: SecureRandom) -> Self {
        let known = BTreeMap::from([(ours, ours.dummy(&chance))]);
        Self {
            ours,
            chance,
            known: Arc::new(Mutex::new(known)),
        }
    }

    /// These are all that there are, and ours.
    pub(crate) fn replace_all<'a>(&self, hashes: impl IntoIterator<Item = &'a PasswordHash>) {
        let found: Vec<HashProfile> = hashes
            .into_iter()
            .filter_map(HashProfile::of)
            .chain([self.ours])
            .collect();
        let mut known = self.known();
        known.retain(|kind, _| found.contains(kind));
        for kind in found {
            self.note(&mut known, kind);
        }
    }

    /// There is one like this.
    pub(crate) fn observe(&self, hash: &PasswordHash) {
        if let Some(kind) = HashProfile::of(hash) {
            self.note(&mut self.known(), kind);
        }
    }

    fn note(&self, known: &mut BTreeMap<HashProfile, PasswordHash>, kind: HashProfile) {
        if known.contains_key(&kind) {
            return;
        }
        known.insert(kind, kind.dummy(&self.chance));
        if kind != self.ours {
            tracing::info!(
                ?kind,
                "refused sign-ins now hash this way too, so that none tells whose account has it"
            );
        }
        if within_budget(known.keys().copied(), self.ours).len() < known.len() {
            tracing::warn!(
                ?kind,
                "some imported password hashes take so long that refusals at their names can be told by the time"
            );
        }
    }

    /// What has still to be hashed for a refusal where one of this kind was verified, or none.
    pub(super) fn remaining_dummies(&self, verified: Option<HashProfile>) -> Vec<PasswordHash> {
        let known = self.known();
        let kinds = within_budget(known.keys().copied(), self.ours);
        kinds
            .iter()
            .filter(|kind| Some(**kind) != verified)
            .filter_map(|kind| known.get(kind).cloned())
            .collect()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<HashProfile, PasswordHash>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ours, and of the others the cheapest as long as all together take no longer than [`MOST`].
fn within_budget(kinds: impl Iterator<Item = HashProfile>, ours: HashProfile) -> Vec<HashProfile> {
    let mut others: Vec<HashProfile> = kinds.filter(|kind| *kind != ours).collect();
    others.sort_by_key(|kind| kind.cost());
    let mut total = ours.cost();
    let fits = others.into_iter().take_while(|kind| {
        total = total.saturating_add(kind.cost());
        total <= MOST
    });
    std::iter::once(ours).chain(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: HashProfile = HashProfile::Argon2id {
        memory_kib: 65_536,
        passes: 3,
        lanes: 1,
    };

    fn kinds(costs: &[u32]) -> HashProfiles {
        let kinds = HashProfiles::new(OURS, SecureRandom::system());
        let hashes: Vec<_> = costs
            .iter()
            .map(|cost| HashProfile::Bcrypt { cost: *cost }.dummy(&kinds.chance))
            .collect();
        kinds.replace_all(&hashes);
        kinds
    }

    #[test]
    fn dummy_hash_matches_its_profile() {
        for kind in [
            OURS,
            HashProfile::Bcrypt { cost: 4 },
            HashProfile::Argon2id {
                memory_kib: 64,
                passes: 2,
                lanes: 4,
            },
        ] {
            let dummy = kind.dummy(&SecureRandom::system());
            assert_eq!(HashProfile::of(&dummy), Some(kind));
            if matches!(kind, HashProfile::Bcrypt { .. }) {
                assert_eq!(
                    bcrypt::verify("x", dummy.as_str()).ok(),
                    Some(false),
                    "{}",
                    dummy.as_str()
                );
            }
        }
    }

    #[test]
    fn sign_in_runs_each_hash_profile_exactly_once() {
        let kinds = kinds(&[10, 12]);
        let all = [OURS, HashProfile::Bcrypt { cost: 10 }, HashProfile::Bcrypt { cost: 12 }];
        for verified in [None, Some(all[0]), Some(all[1]), Some(all[2])] {
            let rest = kinds.remaining_dummies(verified);
            let mut done: Vec<_> = rest.iter().filter_map(HashProfile::of).chain(verified).collect();
            done.sort();
            assert_eq!(done, all);
        }
    }

    #[test]
    fn hash_profiles_follow_stored_and_observed_hashes() {
        let kinds = kinds(&[10]);
        kinds.replace_all([]);
        assert_eq!(kinds.remaining_dummies(Some(OURS)), []);
        kinds.observe(&HashProfile::Bcrypt { cost: 11 }.dummy(&kinds.chance));
        assert_eq!(kinds.remaining_dummies(Some(OURS)).len(), 1);
        kinds.observe(&PasswordHash::stored("no hash at all"));
        assert_eq!(kinds.remaining_dummies(None).len(), 2);
    }

    #[test]
    fn dummy_hashing_omits_profiles_over_the_time_budget() {
        let done = |costs: &[u32]| {
            kinds(costs)
                .remaining_dummies(None)
                .iter()
                .filter_map(HashProfile::of)
                .collect::<Vec<_>>()
        };
        assert_eq!(done(&[16]), [OURS]);
        assert_eq!(done(&[12, 16]), [OURS, HashProfile::Bcrypt { cost: 12 }]);
        assert_eq!(done(&[13, 12, 4]).len(), 4);
    }
}
