//! Remembers outside the database how far each chain of the audit has come, in a file beside the master key. The chains
//! show every edit as long as their end is known; whoever has the database alone could write a whole chain anew, but
//! not this file.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use auth::StoreUnavailable;
use serde::{Deserialize, Serialize};

use crate::{config::Config, state::Store};

const EVERY: Duration = Duration::from_secs(30);

/// An entry that was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    n: i64,
    hash: String,
}

/// The file, by chain.
#[derive(Clone, Debug)]
pub struct Witness {
    path: PathBuf,
    seen: BTreeMap<String, Seen>,
}

/// An entry that was seen and is not there any more, or is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub chain: String,
    pub n: i64,
}

impl Witness {
    /// What was seen so far: nothing, where there is no file yet.
    ///
    /// # Errors
    /// A file that cannot be read, or is none of ours.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        Self::read(config.data.join("keys/audit-seen.json"))
    }

    /// The same, as the file has it now.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn again(&self) -> anyhow::Result<Self> {
        Self::read(self.path.clone())
    }

    fn read(path: PathBuf) -> anyhow::Result<Self> {
        let seen = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                anyhow::anyhow!("{} is not what was written there: {error}", path.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => anyhow::bail!("{} cannot be read: {error}", path.display()),
        };
        Ok(Self { path, seen })
    }

    /// What is not there any more of what was seen.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn missing(&self, store: &Store) -> Result<Vec<Missing>, StoreUnavailable> {
        let heads = store.audit_heads().await?;
        let mut missing = Vec::new();
        for (chain, seen) in &self.seen {
            // What lies beyond the head is not in the chain, whether its row is there or not.
            let is_in = heads
                .iter()
                .any(|head| head.chain == *chain && head.n >= seen.n);
            if !is_in || store.audit_hash(chain, seen.n).await?.as_ref() != Some(&seen.hash) {
                missing.push(Missing {
                    chain: chain.clone(),
                    n: seen.n,
                });
            }
        }
        Ok(missing)
    }

    /// Looks at how far the chains have come. One that lost what was seen stays as it was remembered.
    ///
    /// # Errors
    /// A database that does not answer, or a disk that does not take the file.
    pub async fn look(&mut self, store: &Store) -> anyhow::Result<Vec<Missing>> {
        // Asked first: what is appended in between is seen the next time.
        let heads = store.audit_heads().await?;
        let missing = self.missing(store).await?;
        let before = self.seen.clone();
        for head in heads {
            let lost = missing.iter().any(|missing| missing.chain == head.chain);
            if !lost
                && self
                    .seen
                    .get(&head.chain)
                    .is_none_or(|seen| seen.n < head.n)
            {
                self.seen.insert(
                    head.chain,
                    Seen {
                        n: head.n,
                        hash: head.hash,
                    },
                );
            }
        }
        if self.seen != before {
            write(&self.path, &serde_json::to_vec(&self.seen)?)?;
        }
        Ok(missing)
    }

    /// For ever: run it as a task.
    pub(crate) async fn watch(mut self, store: Store) {
        let mut ticks = tokio::time::interval(EVERY);
        let mut told = Vec::new();
        loop {
            ticks.tick().await;
            match self.look(&store).await {
                Ok(missing) if missing != told => {
                    for Missing { chain, n } in &missing {
                        tracing::error!(
                            chain,
                            n,
                            "an entry of the audit that was there is gone or was edited"
                        );
                    }
                    told = missing;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "how far the audit has come was not remembered")
                }
            }
        }
    }
}

/// All of it or nothing, also when the power goes.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(new, path)
}
