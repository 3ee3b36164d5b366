//! `strongroom breach build`: the list of stolen passwords that new ones are looked up in.

use std::{fs::File, io::BufReader, path::Path, process::ExitCode};

use anyhow::Context as _;
use auth::breach;

use crate::args::BreachCommand;

pub(crate) fn run(command: BreachCommand) -> anyhow::Result<ExitCode> {
    match command {
        BreachCommand::Build { list, output } => build(&list, &output),
    }
}

fn build(list: &Path, output: &Path) -> anyhow::Result<ExitCode> {
    let shown = list.display();
    if output.exists() && std::fs::canonicalize(list).ok() == std::fs::canonicalize(output).ok() {
        anyhow::bail!("{shown} is the list itself: name another file with -o");
    }
    let file = File::open(list).with_context(|| format!("cannot read {shown}"))?;
    let built = breach::build(BufReader::with_capacity(1 << 20, file), output)
        .with_context(|| shown.to_string())?;
    // Of 2^48, so that the number is that of one in how many.
    let one_in = (1_u64 << 48) / built.entries.max(1);
    say!(
        "{} holds {} passwords; one that is not in it is refused once in {one_in}.",
        output.display(),
        built.entries
    );
    say!(
        "Name it in the TOML file, as in\n  [passwords]\n  breach_file = \"{}\"",
        output.display()
    );
    Ok(ExitCode::SUCCESS)
}
