//! `strongroom user import FILE.csv`: imports accounts of another application.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, anyhow};
use auth::{PasswordHash, Username, accounts::registration::ImportedAccount};
use server::{extract::parse_boolean, state::Auth};

use super::csv_dialect::{self, Cells, Wanted};
use crate::{error_chain, output::count};

const COLUMNS: Wanted = Wanted {
    required: &["username", "hashed_password"],
    optional: &["is_admin"],
};

/// Imports every valid row. Prints the line number and the error of each other row.
pub(crate) async fn import(auth: &Auth, file: &Path) -> anyhow::Result<ExitCode> {
    let table = csv_dialect::read(file, &COLUMNS)?;
    let (mut imported, mut rejected) = (0, 0);
    for row in table.rows() {
        let line = row.line;
        let result = match row.cells {
            Err(error) => Err(error),
            Ok(cells) => import_row(auth, &cells).await,
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

async fn import_row(auth: &Auth, cells: &Cells) -> anyhow::Result<()> {
    let username = cells.get("username");
    let administrator = match cells.get("is_admin") {
        "" => false,
        text => parse_boolean(text)
            .ok_or_else(|| anyhow!("is_admin must be true or false, not \"{text}\""))?,
    };
    let name = Username::parse(username).with_context(|| format!("username \"{username}\""))?;
    // Errors omit the hash, because it allows offline guessing.
    let password = PasswordHash::import(cells.get("hashed_password"))
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
