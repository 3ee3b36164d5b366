//! Upstream providers on the pages: their buttons, and what is said where one did not work.

use askama::Template;

use super::{Shell, format};

/// `Continue with …`
#[derive(Clone, Debug)]
pub struct ProviderButton {
    pub id: String,
    pub name: String,
    pub has_icon: bool,
}

impl ProviderButton {
    /// There, and then to `next`.
    pub fn url(&self, next: &str) -> String {
        format!("/auth/oidc/{}?next={}", self.id, format::segment(next))
    }
}

/// Where signing in through a provider did not work.
#[derive(Debug, Template)]
#[template(path = "provider-error.html")]
pub struct UpstreamPage {
    pub shell: Shell,
    /// Its name, where there is one of that id.
    pub provider: Option<String>,
    pub message: String,
}
