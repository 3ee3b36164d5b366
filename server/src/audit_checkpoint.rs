//! Stores the newest entry of each audit chain in a file beside the master key, outside the
//! database. The hash chain proves edits only up to a known head. An attacker with the database
//! alone can rewrite a whole chain, but not this file.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use auth::StoreUnavailable;
use durable_fs::Mode;
use serde::{Deserialize, Serialize};

use crate::{config::Config, state::Store};

const CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// The position and hash of a chain's newest known entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SeenHead {
    n: i64,
    hash: String,
}

/// The checkpoint file: one entry per chain.
#[derive(Clone, Debug)]
pub struct AuditCheckpoint {
    path: PathBuf,
    heads: BTreeMap<String, SeenHead>,
}

/// A known entry that is missing or has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingAuditEntry {
    pub chain: String,
    pub n: i64,
}

impl AuditCheckpoint {
    /// Reads the checkpoint. It is empty if the file does not exist.
    ///
    /// # Errors
    /// The file cannot be read, or is malformed.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        Self::load(config.data.join("keys/audit-seen.json"))
    }

    /// Reads the checkpoint again from the same file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn reload(&self) -> anyhow::Result<Self> {
        Self::load(self.path.clone())
    }

    fn load(path: PathBuf) -> anyhow::Result<Self> {
        let heads = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                anyhow::anyhow!(
                    "{} is not a valid audit checkpoint: {error}",
                    path.display()
                )
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => anyhow::bail!("{} cannot be read: {error}", path.display()),
        };
        Ok(Self { path, heads })
    }

    /// The known entries that are missing from the database or have changed.
    ///
    /// # Errors
    /// The database does not respond.
    pub async fn missing_entries(
        &self,
        store: &Store,
    ) -> Result<Vec<MissingAuditEntry>, StoreUnavailable> {
        let heads = store.audit_heads().await?;
        let mut missing = Vec::new();
        for (chain, seen) in &self.heads {
            // A row beyond the head is not part of the chain.
            let is_present = heads
                .iter()
                .any(|head| head.chain == *chain && head.n >= seen.n);
            if !is_present || store.audit_hash(chain, seen.n).await?.as_ref() != Some(&seen.hash) {
                missing.push(MissingAuditEntry {
                    chain: chain.clone(),
                    n: seen.n,
                });
            }
        }
        Ok(missing)
    }

    /// Advances the checkpoint to the current heads. A chain with a missing entry keeps its old
    /// checkpoint.
    ///
    /// # Errors
    /// The database does not respond, or the file cannot be written.
    pub async fn advance(&mut self, store: &Store) -> anyhow::Result<Vec<MissingAuditEntry>> {
        // Heads are read before the check, so entries appended in between count at the next one.
        let heads = store.audit_heads().await?;
        let missing = self.missing_entries(store).await?;
        let before = self.heads.clone();
        for head in heads {
            let is_missing = missing.iter().any(|missing| missing.chain == head.chain);
            if !is_missing
                && self
                    .heads
                    .get(&head.chain)
                    .is_none_or(|known| known.n < head.n)
            {
                self.heads.insert(
                    head.chain,
                    SeenHead {
                        n: head.n,
                        hash: head.hash,
                    },
                );
            }
        }
        if self.heads != before {
            durable_fs::replace(&self.path, &serde_json::to_vec(&self.heads)?, Mode::PRIVATE)?;
        }
        Ok(missing)
    }

    /// Checks at a fixed interval and never returns. Run it as a task.
    pub(crate) async fn run(mut self, store: Store) {
        let mut ticks = tokio::time::interval(CHECK_INTERVAL);
        let mut reported = Vec::new();
        loop {
            ticks.tick().await;
            match self.advance(&store).await {
                Ok(missing) if missing != reported => {
                    for MissingAuditEntry { chain, n } in &missing {
                        tracing::error!(chain, n, "an audit entry is missing or was modified");
                    }
                    reported = missing;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the audit checkpoint was not updated");
                }
            }
        }
    }
}
