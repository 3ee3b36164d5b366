//! The web pages: view models, templates and assets. A handler in `pages/`, the only part that
//! knows sessions and vaults, calls the domain, fills a `…Page` struct and responds with
//! [`Page::html`].
//!
//! Templates are in `templates/`, escaped by askama; style, icons and scripts are in `assets/` and
//! served by [`assets::serve`]. Nothing here needs a build step.

mod activity;
pub mod assets;
pub(crate) mod cookie;
pub(crate) mod device;
pub(crate) mod device_cookie;
pub(crate) mod form_account;
mod format;
pub(crate) mod page_account;
pub(crate) mod pages;
pub(crate) mod password_strength;
mod shell;
pub(crate) mod site_files;
mod start_session;
pub(crate) mod strength_limit;
#[cfg(test)]
mod tests;
pub(crate) mod visitor_shell;

use askama::Template;

pub(crate) use pages::{allow_page, error_page, error_shell};
pub(crate) use start_session::start_session;

pub use activity::{ActivityEntry, Badge};
pub use pages::accept_invitation::AcceptInvitationPage;
pub use pages::account::AccountPage;
pub use pages::audit::{AuditPage, SecurityPage};
pub use pages::authorize::{AuthorizePage, DevicePage};
pub use pages::columns::Columns;
pub use pages::confirm_email::ConfirmEmailPage;
pub use pages::deleted::DeletedPage;
pub use pages::docs::DocsPage;
pub use pages::error::ErrorPage;
pub use pages::factors::{FactorsPage, MfaPage};
pub use pages::file::FilePage;
pub use pages::folder::{Crumb, Folder, FolderPage, Row};
pub use pages::groups::GroupsPage;
pub use pages::invites::InvitesPage;
pub use pages::lockouts::LockoutsPage;
pub use pages::password_reset::{ForgotPage, ResetPage};
pub use pages::sign_in::{SetupPage, SignInPage, SignUpAvailability, local_path};
pub use pages::sign_up::SignUpPage;
pub use pages::tokens::TokensPage;
pub use pages::upstream::{ProviderButton, UpstreamPage};
pub use pages::user::UserPage;
pub use pages::users::UsersPage;
pub use shell::{OverrideNotice, Shell, VaultContext, Viewer};

/// The `Content-Security-Policy` of every page. The pages need nothing beyond it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
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
