//! `strongroom user import FILE.csv`: the accounts of the application that Strongroom replaces.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, anyhow, bail};
use auth::{PasswordHash, Username, auth::ImportedAccount};
use serde::Deserialize;
use server::state::Auth;

use crate::complaint;

#[derive(Deserialize)]
struct Row {
    username: String,
    hashed_password: String,
    #[serde(default)]
    is_admin: String,
}

/// Takes over what it can and names each row that it cannot, with its line.
pub(crate) async fn import(auth: &Auth, file: &Path) -> anyhow::Result<ExitCode> {
    let unread = || format!("cannot read {}", file.display());
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_path(file)
        .with_context(unread)?;
    let headers = reader.headers().with_context(unread)?.clone();
    for column in ["username", "hashed_password"] {
        if !headers.iter().any(|header| header == column) {
            bail!(
                "{} has no column {column}; its first line names the columns",
                file.display()
            );
        }
    }
    let (mut brought, mut refused) = (0, 0);
    for row in reader.into_records() {
        let line = line_of(&row);
        let taken = match row {
            Err(error) if error.is_io_error() => return Err(error).with_context(unread),
            Err(_) => Err(anyhow!("this line is not text in UTF-8")),
            Ok(row) => take(auth, &row, &headers).await,
        };
        match taken {
            Ok(()) => brought += 1,
            Err(error) => {
                refused += 1;
                complain!("line {line}: {}", complaint(&error));
            }
        }
    }
    say!("{brought} accounts brought over, {refused} refused.");
    Ok(if refused == 0 {
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

async fn take(
    auth: &Auth,
    row: &csv::StringRecord,
    headers: &csv::StringRecord,
) -> anyhow::Result<()> {
    if row.len() != headers.len() {
        bail!(
            "there are {} columns here, and {} in the first line",
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
        other => bail!("is_admin is true or false, not \"{other}\""),
    };
    let name =
        Username::parse(&username).with_context(|| format!("the username \"{username}\""))?;
    // The hash is not repeated in the error: it is as good as a password to whoever can guess.
    let password =
        PasswordHash::import(&hashed_password).with_context(|| format!("the hash of {name}"))?;
    let import = ImportedAccount {
        username: name.clone(),
        password,
        administrator,
    };
    auth.import(import)
        .await
        .with_context(|| name.to_string())?;
    Ok(())
}
