//! The web pages: view models, templates and assets. A handler in `handlers/`, the only part that
//! knows sessions and vaults, calls the domain, fills a `…Page` struct and responds with
//! [`Page::html`].
//!
//! Templates are in `templates/`, escaped by askama; style, icons and scripts are in `assets/` and
//! served by [`assets::serve`]. Nothing here needs a build step.

mod account;
pub mod assets;
mod audit;
pub(crate) mod browser;
mod confirm_email;
mod consent;
pub(crate) mod cookie;
mod deleted;
pub(crate) mod device;
mod enter;
mod error;
mod factors;
mod file;
mod folder;
mod format;
mod groups;
pub(crate) mod handlers;
mod happening;
mod invites;
mod join;
mod lockouts;
pub mod meter;
mod reset;
mod shell;
#[cfg(test)]
mod tests;
mod tokens;
mod upstream;
mod user;
mod users;

use askama::Template;

pub(crate) use handlers::{allow_page, error_page};

pub use account::AccountPage;
pub use audit::{AuditPage, SecurityPage};
pub use confirm_email::ConfirmEmailPage;
pub use consent::{AuthorizePage, DevicePage};
pub use deleted::DeletedPage;
pub use enter::{SetupPage, SignInPage, SignUpAvailability, SignUpPage, local_path};
pub use error::ErrorPage;
pub use factors::{FactorsPage, MfaPage};
pub use file::FilePage;
pub use folder::{Crumb, Folder, FolderPage, Row};
pub use groups::GroupsPage;
pub use happening::{ActivityEntry, Badge};
pub use invites::InvitesPage;
pub use join::AcceptInvitationPage;
pub use lockouts::LockoutsPage;
pub use reset::{ForgotPage, ResetPage};
pub use shell::{Shell, VaultContext, Viewer};
pub use tokens::TokensPage;
pub use upstream::{ProviderButton, UpstreamPage};
pub use user::UserPage;
pub use users::UsersPage;

/// The `Content-Security-Policy` of every page. The pages need nothing beyond it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// A page that can be sent as `text/html; charset=utf-8`, `Cache-Control: no-store`.
pub trait Page {
    fn html(&self) -> Result<String, askama::Error>;
}

impl<T: Template> Page for T {
    fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }
}
