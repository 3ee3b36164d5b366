//! Hash profiles (algorithm and cost) of all active accounts: current, older and imported ones.
//! Verification time depends on the profile. So a failed sign-in runs one hash of each, and its
//! timing does not reveal the account.

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

use crate::{PasswordHash, SecureRandom, password::pepper};

/// Upper bound on the estimated core time of one failed sign-in: half of `QUEUE_TIMEOUT`.
const MAX_DUMMY_TIME: Duration = Duration::from_secs(1);

/// Hashes with equal profiles take equal time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HashProfile {
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
    /// `None` for an unsupported hash.
    pub(crate) fn of(hash: &PasswordHash) -> Option<Self> {
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

    pub(crate) fn argon2id(params: &Params) -> Self {
        Self::Argon2id {
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
            lanes: params.p_cost(),
        }
    }

    /// Estimated time, from measurements: 80 ms for 64 MiB and 3 passes, 250 ms for bcrypt of cost
    /// 12.
    fn cost(self) -> Duration {
        match self {
            Self::Argon2id {
                memory_kib, passes, ..
            } => Duration::from_nanos(407).saturating_mul(memory_kib.saturating_mul(passes)),
            Self::Bcrypt { cost } => Duration::from_micros(61)
                .saturating_mul(1_u32.checked_shl(cost).unwrap_or(u32::MAX)),
        }
    }

    /// A hash that matches no password: salt and output are random.
    fn dummy(self, rng: &SecureRandom) -> PasswordHash {
        let (salt, tag) = (rng.bytes::<16>(), rng.bytes::<32>());
        PasswordHash::from_stored(&match self {
            Self::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => super::argon2id::phc_string((memory_kib, passes, lanes), &salt, &tag),
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
    current: HashProfile,
    rng: SecureRandom,
    /// One dummy hash per profile, including the current one.
    dummies: Arc<Mutex<BTreeMap<HashProfile, PasswordHash>>>,
}

impl HashProfiles {
    pub(crate) fn new(current: HashProfile, rng: SecureRandom) -> Self {
        let dummies = BTreeMap::from([(current, current.dummy(&rng))]);
        Self {
            current,
            rng,
            dummies: Arc::new(Mutex::new(dummies)),
        }
    }

    /// Replaces the known profiles by those of `hashes` and the current one.
    pub(crate) fn replace_all<'a>(&self, hashes: impl IntoIterator<Item = &'a PasswordHash>) {
        let found: Vec<HashProfile> = hashes
            .into_iter()
            .filter_map(HashProfile::of)
            .chain([self.current])
            .collect();
        let mut dummies = self.dummies();
        dummies.retain(|profile, _| found.contains(profile));
        for profile in found {
            self.add(&mut dummies, profile);
        }
    }

    /// Adds the profile of `hash`.
    pub(crate) fn observe(&self, hash: &PasswordHash) {
        if let Some(profile) = HashProfile::of(hash) {
            self.add(&mut self.dummies(), profile);
        }
    }

    fn add(&self, dummies: &mut BTreeMap<HashProfile, PasswordHash>, profile: HashProfile) {
        if dummies.contains_key(&profile) {
            return;
        }
        dummies.insert(profile, profile.dummy(&self.rng));
        if profile != self.current {
            tracing::info!(
                ?profile,
                "added password hash profile to dummy verification"
            );
        }
        if within_budget(dummies.keys().copied(), self.current).len() < dummies.len() {
            tracing::warn!(
                ?profile,
                "some hash profiles exceed the time budget of a failed sign-in; timing can reveal their accounts"
            );
        }
    }

    /// The dummies that remain to be verified after a failure with profile `verified`.
    pub(crate) fn remaining_dummies(&self, verified: Option<HashProfile>) -> Vec<PasswordHash> {
        let dummies = self.dummies();
        let profiles = within_budget(dummies.keys().copied(), self.current);
        profiles
            .iter()
            .filter(|profile| Some(**profile) != verified)
            .filter_map(|profile| dummies.get(profile).cloned())
            .collect()
    }

    fn dummies(&self) -> MutexGuard<'_, BTreeMap<HashProfile, PasswordHash>> {
        self.dummies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The current profile, and the cheapest others while their sum is at most `MAX_DUMMY_TIME`.
fn within_budget(
    profiles: impl Iterator<Item = HashProfile>,
    current: HashProfile,
) -> Vec<HashProfile> {
    let mut others: Vec<HashProfile> = profiles.filter(|profile| *profile != current).collect();
    others.sort_by_key(|profile| profile.cost());
    let mut total = current.cost();
    let affordable = others.into_iter().take_while(|profile| {
        total = total.saturating_add(profile.cost());
        total <= MAX_DUMMY_TIME
    });
    std::iter::once(current).chain(affordable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: HashProfile = HashProfile::Argon2id {
        memory_kib: 65_536,
        passes: 3,
        lanes: 1,
    };

    fn profiles(costs: &[u32]) -> HashProfiles {
        let profiles = HashProfiles::new(OURS, SecureRandom::system());
        let hashes: Vec<_> = costs
            .iter()
            .map(|cost| HashProfile::Bcrypt { cost: *cost }.dummy(&profiles.rng))
            .collect();
        profiles.replace_all(&hashes);
        profiles
    }

    #[test]
    fn dummy_hash_matches_its_profile() {
        for profile in [
            OURS,
            HashProfile::Bcrypt { cost: 4 },
            HashProfile::Argon2id {
                memory_kib: 64,
                passes: 2,
                lanes: 4,
            },
        ] {
            let dummy = profile.dummy(&SecureRandom::system());
            assert_eq!(HashProfile::of(&dummy), Some(profile));
            if matches!(profile, HashProfile::Bcrypt { .. }) {
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
        let profiles = profiles(&[10, 12]);
        let all = [
            OURS,
            HashProfile::Bcrypt { cost: 10 },
            HashProfile::Bcrypt { cost: 12 },
        ];
        for verified in [None, Some(all[0]), Some(all[1]), Some(all[2])] {
            let rest = profiles.remaining_dummies(verified);
            let mut done: Vec<_> = rest
                .iter()
                .filter_map(HashProfile::of)
                .chain(verified)
                .collect();
            done.sort();
            assert_eq!(done, all);
        }
    }

    #[test]
    fn hash_profiles_follow_stored_and_observed_hashes() {
        let profiles = profiles(&[10]);
        profiles.replace_all([]);
        assert_eq!(profiles.remaining_dummies(Some(OURS)), []);
        profiles.observe(&HashProfile::Bcrypt { cost: 11 }.dummy(&profiles.rng));
        assert_eq!(profiles.remaining_dummies(Some(OURS)).len(), 1);
        profiles.observe(&PasswordHash::from_stored("no hash at all"));
        assert_eq!(profiles.remaining_dummies(None).len(), 2);
    }

    #[test]
    fn dummy_hashing_omits_profiles_over_the_time_budget() {
        let done = |costs: &[u32]| {
            profiles(costs)
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
