//! Fills the sort keys and search texts of rows from before these columns.

use vault::{
    Filename, UserText,
    search::{natural_key, search_text},
};

use crate::{connection::Connection, error::DbError, files::FILE, value::params};

const PAGE: u32 = 1_000;

/// Reads and writes page by page, so that memory does not grow with the vault.
pub(crate) async fn fill(db: &mut Connection) -> Result<(), DbError> {
    const READ: &str = "SELECT vault_id, file_id, kind, path, description FROM files WHERE (vault_id, file_id) > ($1, $2)
        ORDER BY vault_id, file_id LIMIT $3";
    const WRITE: &str =
        "UPDATE files SET natural_key = $3, search_text = $4 WHERE vault_id = $1 AND file_id = $2";
    let (mut vault, mut file) = (String::new(), String::new());
    loop {
        let rows = db
            .query(READ, params![vault.as_str(), file.as_str(), PAGE])
            .await?;
        if rows.is_empty() {
            return Ok(());
        }
        for mut row in rows {
            vault = row.text()?;
            file = row.text()?;
            let kind = row.int()?;
            let name = Filename::from_stored(&row.text()?);
            let description = row.opt_text()?.map(UserText::from_stored);
            let text = if kind == FILE {
                search_text(&name, description.as_ref())
            } else {
                String::new()
            };
            let values = params![
                vault.as_str(),
                file.as_str(),
                natural_key(&name.key()),
                text
            ];
            db.execute(WRITE, values).await?;
        }
    }
}
