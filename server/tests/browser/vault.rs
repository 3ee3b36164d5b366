//! Actions on files, in a window with the vault or one file.

use std::path::PathBuf;

use crate::window::Window;

/// The CSS selector of a file's row.
pub(crate) fn row(filename: &str) -> String {
    format!("tr[data-file={}]", serde_json::json!(filename))
}

impl Window {
    /// Clicks a button of a row, in the row or in its menu.
    pub(crate) async fn acts(&self, filename: &str, action: &str) {
        let row = row(filename);
        if ["describe", "move", "override", "delete", "history"].contains(&action) {
            self.clicks(&format!("{row} .more summary")).await;
        }
        self.clicks(&format!("{row} [data-action={action}]")).await;
    }

    pub(crate) async fn adds(&self, paths: &[PathBuf]) {
        self.clicks("[data-action=add]").await;
        self.chooses("#add-input", paths).await;
        self.finishes_adding().await;
    }

    pub(crate) async fn adds_folder(&self, path: PathBuf) {
        self.clicks("[data-action=add]").await;
        self.chooses("#add-folder-input", &[path]).await;
        self.finishes_adding().await;
    }

    async fn finishes_adding(&self) {
        self.finds("#uploads .upload").await;
        self.clicks("#add-submit").await;
        self.misses("#add-dialog").await;
        self.reads("#notices", "added.").await;
    }

    pub(crate) async fn checks_out(&self, filename: &str) {
        self.acts(filename, "check-out").await;
        self.finds(&format!(
            "{}[data-status=checked_out_by_user]",
            row(filename)
        ))
        .await;
    }

    /// Checks in the changed file with a comment, through the dialog.
    pub(crate) async fn checks_in(&self, filename: &str, changed: PathBuf, comment: &str) {
        self.acts(filename, "check-in").await;
        self.chooses("#check-in-file", &[changed]).await;
        self.writes("#check-in-dialog [name=comment]", comment)
            .await;
        self.clicks("#check-in-dialog [data-submit]").await;
        self.misses("#check-in-dialog").await;
        self.finds(&format!("{}[data-status=unlocked]", row(filename)))
            .await;
    }

    pub(crate) async fn has_revision(&self, filename: &str, revision: u32) {
        self.reads(
            &format!("{} [data-field=revision]", row(filename)),
            &revision.to_string(),
        )
        .await;
    }

    /// Waits until the list shows exactly these names, in this order.
    pub(crate) async fn lists(&self, names: &[&str]) {
        let names = serde_json::json!(names);
        self.sees(&format!(
            "JSON.stringify([...document.querySelectorAll('#rows tr a.name')].map((it) => it.innerText)) === \
             JSON.stringify({names})"
        ))
        .await;
    }
}
