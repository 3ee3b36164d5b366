//! `strongroom breach build`: builds the list of breached passwords.

use std::{fs::File, io::BufReader, path::Path, process::ExitCode};

use anyhow::Context as _;
use auth::password::breach;

use crate::args::BreachCommand;

pub(crate) fn run(command: BreachCommand) -> anyhow::Result<ExitCode> {
    match command {
        BreachCommand::Build { list, output } => build(&list, &output),
    }
}

fn build(list: &Path, output: &Path) -> anyhow::Result<ExitCode> {
    let shown = list.display();
    if output.exists() && std::fs::canonicalize(list).ok() == std::fs::canonicalize(output).ok() {
        anyhow::bail!("{shown} is the input list: name another output file with -o");
    }
    let file = File::open(list).with_context(|| format!("cannot read {shown}"))?;
    let built = breach::build(BufReader::with_capacity(1 << 20, file), output)
        .with_context(|| shown.to_string())?;
    // The list stores 48 bits of each hash.
    let one_in = (1_u64 << 48) / built.entries.max(1);
    out!(
        "{} holds {} passwords. False-positive rate: 1 in {one_in}.",
        output.display(),
        built.entries
    );
    out!(
        "To use it, add to the TOML file:\n  [passwords]\n  breach_file = \"{}\"",
        output.display()
    );
    Ok(ExitCode::SUCCESS)
}
