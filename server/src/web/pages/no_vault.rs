//! The start page of a user who can open no vault.

use askama::Template;

use crate::web::Shell;

/// `GET /` without a vault.
#[derive(Debug, Template)]
#[template(path = "no-vault.html")]
pub(crate) struct NoVaultPage {
    pub(crate) shell: Shell,
}
