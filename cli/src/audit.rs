//! `strongroom audit`: verifies and exports the audit log, on the data folder.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use anyhow::bail;
use auth::{
    Clock,
    audit::{AuditCursor, AuditQuery, Chain},
    store::AuditStore,
};
use jiff::Timestamp;
use server::{
    Config, api::audit::wire_entry, audit_checkpoint::AuditCheckpoint, installation::StoredData,
};
use store::ChainStatus;
use vault::VaultStore;
use wire::AuditEntry;

use crate::{
    args::AuditCommand,
    output::{count, on_one_line},
    require_data_folder,
};

/// Entries per query.
const PAGE: u32 = 1000;
/// Interval of `--follow` between two queries.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

pub(crate) async fn run(command: AuditCommand, config: Config) -> anyhow::Result<ExitCode> {
    require_data_folder(&config)?;
    let opened = server::installation::open_for_reading(&config, Clock::system()).await?;
    match command {
        AuditCommand::Verify => verify(&opened, &config).await,
        AuditCommand::Export {
            chain,
            since,
            follow,
        } => {
            let mut export = Export::begin(&opened, chain.as_deref(), since).await?;
            if !follow {
                export.write_new().await?;
                return Ok(ExitCode::SUCCESS);
            }
            tokio::select! {
                done = export.follow() => done?,
                _ = tokio::signal::ctrl_c() => {}
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Every chain with its display name.
async fn chains(opened: &StoredData) -> anyhow::Result<Vec<(String, Chain)>> {
    let mut chains = vec![("accounts".to_owned(), Chain::Accounts)];
    let vaults = opened.store.vaults().await?;
    chains.extend(
        vaults
            .into_iter()
            .map(|vault| (format!("vault {}", vault.name), Chain::Realm(vault.id))),
    );
    Ok(chains)
}

/// Verifies every chain. Returns the display name and status of each.
pub(crate) async fn check(
    opened: &StoredData,
    config: &Config,
) -> anyhow::Result<Vec<(String, ChainStatus)>> {
    let mut missing = AuditCheckpoint::open(config)?
        .missing_entries(&opened.store)
        .await?;
    let mut checked = Vec::new();
    for (name, chain) in chains(opened).await? {
        let seen = missing
            .extract_if(.., |missing| missing.chain == chain.key())
            .next();
        let status = match (opened.store.verify_audit(&chain).await?, seen) {
            (ChainStatus::Intact { .. }, Some(missing)) => ChainStatus::Broken { at: missing.n },
            (status, _) => status,
        };
        checked.push((name, status));
    }
    // Chains of vaults that are missing from the database.
    checked.extend(
        missing
            .into_iter()
            .map(|missing| (missing.chain, ChainStatus::Broken { at: missing.n })),
    );
    Ok(checked)
}

async fn verify(opened: &StoredData, config: &Config) -> anyhow::Result<ExitCode> {
    let checked = check(opened, config).await?;
    for (name, status) in &checked {
        if let ChainStatus::Intact { entries } = status {
            out!(
                "{name}: {}, all intact.",
                count(*entries, "entry", "entries")
            );
        }
    }
    Ok(if report_broken(&checked) == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints a line for each broken chain. Returns their number.
pub(crate) fn report_broken(checked: &[(String, ChainStatus)]) -> u32 {
    let mut broken = 0;
    for (name, status) in checked {
        if let ChainStatus::Broken { at } = status {
            broken += 1;
            let name = on_one_line(name);
            out!("{name}: entry {at} of the audit log is missing or altered.");
        }
    }
    if broken > 0 {
        err!("(If you restored an older database on purpose, delete keys/audit-seen.json.)");
    }
    broken
}

/// The position of the export in each chain.
struct Export<'a> {
    opened: &'a StoredData,
    positions: Vec<Position>,
    since: Option<Timestamp>,
    selected: Option<String>,
}

struct Position {
    /// Name of the vault; `None` for the chain of accounts.
    vault: Option<String>,
    chain: Chain,
    /// Number of the last entry written.
    n: i64,
}

impl<'a> Export<'a> {
    async fn begin(
        opened: &'a StoredData,
        selected: Option<&str>,
        since: Option<Timestamp>,
    ) -> anyhow::Result<Self> {
        let mut export = Self {
            opened,
            positions: Vec::new(),
            since,
            selected: selected.map(ToOwned::to_owned),
        };
        export.add_new_vaults().await?;
        match selected {
            Some(name) if export.positions.is_empty() => {
                bail!("there is no vault \"{name}\"; name a vault or \"accounts\"")
            }
            _ => Ok(export),
        }
    }

    /// Adds the chains of new vaults, so that `--follow` includes them.
    async fn add_new_vaults(&mut self) -> anyhow::Result<()> {
        let vaults = self.opened.store.vaults().await?;
        let of_vaults = vaults
            .into_iter()
            .map(|vault| (Some(vault.name.to_string()), Chain::Realm(vault.id)));
        for (vault, chain) in std::iter::once((None, Chain::Accounts)).chain(of_vaults) {
            let name = vault.as_deref().unwrap_or("accounts");
            let wanted = self
                .selected
                .as_deref()
                .is_none_or(|selected| selected == name);
            if wanted
                && !self
                    .positions
                    .iter()
                    .any(|position| position.chain == chain)
            {
                self.positions.push(Position { vault, chain, n: 0 });
            }
        }
        Ok(())
    }

    /// Writes all entries after the last position, chain by chain.
    async fn write_new(&mut self) -> anyhow::Result<()> {
        for position in &mut self.positions {
            loop {
                let query = AuditQuery {
                    since: self.since,
                    cursor: AuditCursor::After(position.n),
                    ..AuditQuery::newest(position.chain.clone(), PAGE)
                };
                let entries = self.opened.store.audit(query).await?;
                let Some(last) = entries.last() else { break };
                position.n = last.seq;
                let mut lines = String::new();
                for entry in entries {
                    lines += &line(&AuditEntry {
                        vault: position.vault.clone(),
                        ..wire_entry(entry)
                    })?;
                }
                print(&lines)?;
            }
        }
        Ok(())
    }

    async fn follow(&mut self) -> anyhow::Result<()> {
        loop {
            self.write_new().await?;
            tokio::time::sleep(POLL_INTERVAL).await;
            self.add_new_vaults().await?;
        }
    }
}

/// One line of JSON, with the escapes of [`escape_json`].
fn line(entry: &AuditEntry) -> anyhow::Result<String> {
    Ok(escape_json(&serde_json::to_string(entry)?) + "\n")
}

/// Writes and flushes, so that `--follow` delivers entries at once.
fn print(lines: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    // A closed pipe ends the export normally.
    match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => Ok(written?),
    }
}

/// Escapes C1 controls, direction overrides and invisible characters as `\u…`, beyond what JSON
/// requires. A parser reads the same text; a terminal does not act on it.
fn escape_json(json: &str) -> String {
    let unsafe_char = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    json.chars()
        .fold(String::with_capacity(json.len()), |mut line, c| {
            if unsafe_char(c) {
                // All of them are in the Basic Multilingual Plane: one escape is enough.
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            } else {
                line.push(c);
            }
            line
        })
}

#[cfg(test)]
mod tests {
    use super::escape_json;

    #[test]
    fn exported_audit_json_escapes_terminal_controls() {
        let raw = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{85}é";
        let json = serde_json::to_string(raw).unwrap();
        let line = escape_json(&json);
        assert!(
            line.chars().all(|c| !c.is_control() && c != '\u{202e}'),
            "{line:?}"
        );
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), raw);
    }
}
