//! `strongroom user import FILE.csv`: imports accounts of another application.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, anyhow, bail};
use auth::{PasswordHash, Username, accounts::registration::ImportedAccount};
use serde::Deserialize;
use server::state::Auth;

use crate::{error_chain, output::count};

#[derive(Deserialize)]
struct Row {
    username: String,
    hashed_password: String,
    #[serde(default)]
    is_admin: String,
}

/// Imports every valid row. Prints the line number and the error of each other row.
pub(crate) async fn import(auth: &Auth, file: &Path) -> anyhow::Result<ExitCode> {
    let cannot_read = || format!("cannot read {}", file.display());
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_path(file)
        .with_context(cannot_read)?;
    let headers = reader.headers().with_context(cannot_read)?.clone();
    for column in ["username", "hashed_password"] {
        if !headers.iter().any(|header| header == column) {
            bail!(
                "{} has no column {column}; the first line must name the columns",
                file.display()
            );
        }
    }
    let (mut imported, mut rejected) = (0, 0);
    for row in reader.into_records() {
        let line = line_of(&row);
        let result = match row {
            Err(error) if error.is_io_error() => return Err(error).with_context(cannot_read),
            Err(_) => Err(anyhow!("not valid UTF-8")),
            Ok(row) => import_row(auth, &row, &headers).await,
        };
        match result {
            Ok(()) => imported += 1,
            Err(error) => {
                rejected += 1;
                err!("line {line}: {}", error_chain(&error));
            }
        }
    }
    out!(
        "{} imported, {rejected} rejected.",
        count(imported, "account", "accounts")
    );
    Ok(if rejected == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn line_of(row: &csv::Result<csv::StringRecord>) -> u64 {
    let position = match row {
        Ok(row) => row.position(),
        Err(error) => error.position(),
    };
    position.map_or(0, csv::Position::line)
}

async fn import_row(
    auth: &Auth,
    row: &csv::StringRecord,
    headers: &csv::StringRecord,
) -> anyhow::Result<()> {
    if row.len() != headers.len() {
        bail!(
            "{} columns, but the first line has {}",
            row.len(),
            headers.len()
        );
    }
    let Row {
        username,
        hashed_password,
        is_admin,
    } = row.deserialize(Some(headers))?;
    let administrator = match is_admin.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" => true,
        "" | "0" | "false" | "f" | "no" => false,
        other => bail!("is_admin must be true or false, not \"{other}\""),
    };
    let name = Username::parse(&username).with_context(|| format!("username \"{username}\""))?;
    // Errors omit the hash, because it allows offline guessing.
    let password = PasswordHash::import(&hashed_password)
        .with_context(|| format!("password hash of {name}"))?;
    let import = ImportedAccount {
        username: name.clone(),
        password,
        administrator,
    };
    auth.accounts()
        .import_account(import)
        .await
        .with_context(|| name.to_string())?;
    Ok(())
}
