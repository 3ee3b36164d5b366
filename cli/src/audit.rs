//! `strongroom audit`: what happened, checked and written out, on the data folder itself.

use std::fmt::Write as _;
use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use auth::{
    Clock,
    audit::{AuditQuery, Chain, AuditCursor},
    store::AuditStore,
};
use jiff::Timestamp;
use server::{Config, api::audit::shape, serve::Opened, witness::Witness};
use store::ChainStatus;
use vault::VaultStore;
use wire::AuditEntry;

use crate::{args::AuditCommand, refuse_nothing, say::on_one_line};

/// Entries asked for at once.
const PAGE: u32 = 1000;
/// How often to look for new ones.
const FOLLOW: Duration = Duration::from_millis(500);

pub(crate) async fn run(command: AuditCommand, config: Config) -> anyhow::Result<ExitCode> {
    refuse_nothing(&config)?;
    let opened = server::serve::open(&config, Clock::system()).await?;
    match command {
        AuditCommand::Verify => verify(&opened, &config).await,
        AuditCommand::Export {
            chain,
            since,
            follow,
        } => {
            let mut export = Export::begin(&opened, chain.as_deref(), since).await?;
            if !follow {
                export.all().await?;
                return Ok(ExitCode::SUCCESS);
            }
            tokio::select! {
                done = export.for_ever() => done?,
                _ = tokio::signal::ctrl_c() => {}
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Each chain with what people call it.
async fn chains(opened: &Opened) -> anyhow::Result<Vec<(String, Chain)>> {
    let mut chains = vec![("accounts".to_owned(), Chain::Accounts)];
    let vaults = opened.store.vaults().await?;
    chains.extend(
        vaults
            .into_iter()
            .map(|vault| (format!("vault {}", vault.name), Chain::Realm(vault.id))),
    );
    Ok(chains)
}

/// Every chain, with what people call it and what was found.
pub(crate) async fn check(
    opened: &Opened,
    config: &Config,
) -> anyhow::Result<Vec<(String, ChainStatus)>> {
    let mut missing = Witness::of(config)?.missing(&opened.store).await?;
    let mut checked = Vec::new();
    for (name, chain) in chains(opened).await? {
        let seen = missing
            .extract_if(.., |missing| missing.chain == chain.key())
            .next();
        let verdict = match (opened.store.verify_audit(&chain).await?, seen) {
            (ChainStatus::Intact { .. }, Some(missing)) => ChainStatus::Broken { at: missing.n },
            (verdict, _) => verdict,
        };
        checked.push((name, verdict));
    }
    // Of vaults that are not there any more.
    checked.extend(
        missing
            .into_iter()
            .map(|missing| (missing.chain, ChainStatus::Broken { at: missing.n })),
    );
    Ok(checked)
}

async fn verify(opened: &Opened, config: &Config) -> anyhow::Result<ExitCode> {
    let checked = check(opened, config).await?;
    for (name, verdict) in &checked {
        if let ChainStatus::Intact { entries } = verdict {
            say!("{name}: {entries} entries, all as they were written.");
        }
    }
    Ok(if complain(&checked) == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints a line for each chain that is not as it was written; says how many.
pub(crate) fn complain(checked: &[(String, ChainStatus)]) -> u32 {
    let mut broken = 0;
    for (name, verdict) in checked {
        if let ChainStatus::Broken { at } = verdict {
            broken += 1;
            let name = on_one_line(name);
            say!("{name}: entry {at} of the audit is missing, or not as it was written.");
        }
    }
    if broken > 0 {
        complain!(
            "(Where an older copy of the database was put back on purpose, delete keys/audit-seen.json.)"
        );
    }
    broken
}

/// Where in each chain the export is.
struct Export<'a> {
    opened: &'a Opened,
    places: Vec<Place>,
    since: Option<Timestamp>,
    chosen: Option<String>,
}

struct Place {
    /// The vault's, where it is one's.
    vault: Option<String>,
    chain: Chain,
    /// The last entry that was written.
    n: i64,
}

impl<'a> Export<'a> {
    async fn begin(
        opened: &'a Opened,
        chosen: Option<&str>,
        since: Option<Timestamp>,
    ) -> anyhow::Result<Self> {
        let mut export = Self {
            opened,
            places: Vec::new(),
            since,
            chosen: chosen.map(ToOwned::to_owned),
        };
        export.hear_of_vaults().await?;
        match chosen {
            Some(name) if export.places.is_empty() => {
                bail!("there is no vault \"{name}\"; accounts are \"accounts\"")
            }
            _ => Ok(export),
        }
    }

    /// Those made meanwhile too.
    async fn hear_of_vaults(&mut self) -> anyhow::Result<()> {
        let vaults = self.opened.store.vaults().await?;
        let of_vaults = vaults
            .into_iter()
            .map(|vault| (Some(vault.name.to_string()), Chain::Realm(vault.id)));
        for (vault, chain) in std::iter::once((None, Chain::Accounts)).chain(of_vaults) {
            let name = vault.as_deref().unwrap_or("accounts");
            let wanted = self.chosen.as_deref().is_none_or(|chosen| chosen == name);
            if wanted && !self.places.iter().any(|place| place.chain == chain) {
                self.places.push(Place { vault, chain, n: 0 });
            }
        }
        Ok(())
    }

    /// Everything that is there, chain by chain.
    async fn all(&mut self) -> anyhow::Result<()> {
        for place in &mut self.places {
            loop {
                let query = AuditQuery {
                    since: self.since,
                    from: AuditCursor::After(place.n),
                    ..AuditQuery::newest(place.chain.clone(), PAGE)
                };
                let entries = self.opened.store.audit(query).await?;
                let Some(last) = entries.last() else { break };
                place.n = last.n;
                let mut lines = String::new();
                for entry in entries {
                    lines += &line(&AuditEntry {
                        vault: place.vault.clone(),
                        ..shape(entry)
                    })?;
                }
                print(&lines)?;
            }
        }
        Ok(())
    }

    async fn for_ever(&mut self) -> anyhow::Result<()> {
        loop {
            self.all().await?;
            tokio::time::sleep(FOLLOW).await;
            self.hear_of_vaults().await?;
        }
    }
}

/// One line of JSON. What a terminal would obey is escaped, beyond what JSON asks for.
fn line(entry: &AuditEntry) -> anyhow::Result<String> {
    Ok(tame(&serde_json::to_string(entry)?) + "\n")
}

/// In one piece, so that whoever follows hears of it at once.
fn print(lines: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    // Nobody listens any more: that is an end, not a failure.
    match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => Ok(written?),
    }
}

/// C1 controls, direction overrides and invisible characters as `\u…`: the same text to whoever parses it.
fn tame(json: &str) -> String {
    let wild = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    json.chars()
        .fold(String::with_capacity(json.len()), |mut line, c| {
            if wild(c) {
                // All of them are in the basic plane.
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            } else {
                line.push(c);
            }
            line
        })
}

#[cfg(test)]
mod tests {
    use super::tame;

    #[test]
    fn exported_audit_json_escapes_terminal_controls() {
        let raw = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{85}é";
        let json = serde_json::to_string(raw).unwrap();
        let line = tame(&json);
        assert!(
            line.chars().all(|c| !c.is_control() && c != '\u{202e}'),
            "{line:?}"
        );
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), raw);
    }
}
