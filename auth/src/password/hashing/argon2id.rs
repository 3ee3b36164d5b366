//! Argon2id (RFC 9106), with block memory reused across hashes.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{self, Output},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use subtle::ConstantTimeEq as _;

use super::{block_pool::BlockPool, profiles::HashProfile};
use crate::{AuthError, settings::HashingCost};

/// Minimum cost for new hashes (OWASP minimum for Argon2id).
pub(crate) const MIN_COST: HashingCost = HashingCost {
    memory_kib: 19 * 1024,
    passes: 2,
    lanes: 1,
};

#[derive(Clone)]
pub(crate) struct Argon2Hasher {
    /// Parameters of new hashes.
    current: Argon2<'static>,
    pub(crate) pool: BlockPool,
}

impl Argon2Hasher {
    pub(crate) fn new(cost: HashingCost) -> Result<Self, AuthError> {
        if cost.memory_kib < MIN_COST.memory_kib
            || cost.passes < MIN_COST.passes
            || cost.lanes < MIN_COST.lanes
        {
            return Err(AuthError::Internal(
                "password hashing needs at least 19 MiB, 2 passes and 1 lane",
            ));
        }
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
            .map_err(|_| AuthError::Internal("the Argon2 parameters are invalid"))?;
        let pool = BlockPool::with_block_count(params.block_count());
        Ok(Self {
            current: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            pool,
        })
    }

    /// Returns a PHC string.
    pub(crate) fn hash(&self, secret: &[u8], salt: &[u8]) -> Result<String, argon2::Error> {
        let mut tag = [0; Params::DEFAULT_OUTPUT_LEN];
        self.fill(&self.current, (secret, salt), &mut tag)?;
        let params = self.current.params();
        Ok(phc_string(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            salt,
            &tag,
        ))
    }

    pub(crate) fn profile(&self) -> HashProfile {
        HashProfile::argon2id(self.current.params())
    }

    /// Verifies with the parameters in the PHC string.
    pub(crate) fn matches(&self, secret: &[u8], phc: &str) -> bool {
        let Ok(stored) = phc::PasswordHash::new(phc) else {
            return false;
        };
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
            return false;
        };
        let version = stored
            .version
            .map_or(Ok(Version::default()), Version::try_from);
        let (Ok(algorithm), Ok(version), Ok(params)) = (
            Algorithm::try_from(stored.algorithm.as_str()),
            version,
            Params::try_from(&stored),
        ) else {
            return false;
        };
        let mut tag = [0; Output::MAX_LENGTH];
        let Some(tag) = tag.get_mut(..expected.len()) else {
            return false;
        };
        let argon2 = Argon2::new(algorithm, version, params);
        self.fill(&argon2, (secret, &salt), tag).is_ok()
            && bool::from(tag.ct_eq(expected.as_bytes()))
    }

    fn fill(
        &self,
        argon2: &Argon2<'_>,
        (secret, salt): (&[u8], &[u8]),
        tag: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let mut blocks: Vec<Block> = self.pool.acquire(argon2.params().block_count())?;
        let filled =
            argon2.hash_password_into_with_memory(secret, salt, tag, blocks.as_mut_slice());
        self.pool.release(blocks);
        filled
    }

    /// Whether the PHC string has a lower cost than new hashes.
    pub(crate) fn is_below_current(&self, phc: &str) -> bool {
        let Ok(parsed) = phc::PasswordHash::new(phc) else {
            return true;
        };
        let Ok(params) = Params::try_from(&parsed) else {
            return true;
        };
        let now = self.current.params();
        params.m_cost() < now.m_cost()
            || params.t_cost() < now.t_cost()
            || parsed.hash.is_none_or(|h| h.len() < 32)
    }
}

pub(crate) fn phc_string((m, t, p): (u32, u32, u32), salt: &[u8], tag: &[u8]) -> String {
    format!(
        "$argon2id$v=19$m={m},t={t},p={p}${}${}",
        BASE64.encode(salt),
        BASE64.encode(tag)
    )
}
