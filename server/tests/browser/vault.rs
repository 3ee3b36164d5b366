//! Actions on files, in a window with the vault or one file.

use std::path::PathBuf;

use crate::window::Window;

/// The CSS selector of a file's row.
pub(crate) fn row_selector(filename: &str) -> String {
    format!("tr[data-file={}]", serde_json::json!(filename))
}

impl Window {
    /// Clicks a button of a row, in the row or in its menu.
    pub(crate) async fn click_file_action(&self, filename: &str, action: &str) {
        let row = row_selector(filename);
        if ["describe", "move", "override", "delete", "history"].contains(&action) {
            self.click(&format!("{row} .more summary")).await;
        }
        self.click(&format!("{row} [data-action={action}]")).await;
    }

    pub(crate) async fn add_files(&self, paths: &[PathBuf]) {
        self.click("[data-action=add]").await;
        self.choose_files("#add-input", paths).await;
        self.submit_added_files().await;
    }

    pub(crate) async fn add_folder(&self, path: PathBuf) {
        self.click("[data-action=add]").await;
        self.choose_files("#add-folder-input", &[path]).await;
        self.submit_added_files().await;
    }

    async fn submit_added_files(&self) {
        self.expect_visible("#uploads .upload").await;
        self.click("#add-submit").await;
        self.expect_hidden("#add-dialog").await;
        self.expect_text("#notices", "added.").await;
    }

    pub(crate) async fn check_out(&self, filename: &str) {
        self.click_file_action(filename, "check-out").await;
        self.expect_visible(&format!(
            "{}[data-status=checked_out_by_user]",
            row_selector(filename)
        ))
        .await;
    }

    /// Checks in the changed file with a comment, through the dialog.
    pub(crate) async fn check_in(&self, filename: &str, changed: PathBuf, comment: &str) {
        self.click_file_action(filename, "check-in").await;
        self.choose_files("#check-in-file", &[changed]).await;
        self.fill("#check-in-dialog [name=comment]", comment).await;
        self.click("#check-in-dialog [data-submit]").await;
        self.expect_hidden("#check-in-dialog").await;
        self.expect_visible(&format!("{}[data-status=unlocked]", row_selector(filename)))
            .await;
    }

    pub(crate) async fn expect_revision(&self, filename: &str, revision: u32) {
        self.expect_text(
            &format!("{} [data-field=revision]", row_selector(filename)),
            &revision.to_string(),
        )
        .await;
    }

    /// Waits until the list shows exactly these names, in this order.
    pub(crate) async fn expect_files(&self, names: &[&str]) {
        let names = serde_json::json!(names);
        self.wait_for_js(&format!(
            "JSON.stringify([...document.querySelectorAll('#rows tr a.name')].map((it) => it.innerText)) === \
             JSON.stringify({names})"
        ))
        .await;
    }
}
