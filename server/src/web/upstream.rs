//! Upstream providers: their buttons, and the page after a failed sign-in.

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
    /// Starts the sign-in and returns to `next`.
    pub fn url(&self, next: &str) -> String {
        format!("/auth/oidc/{}?next={}", self.id, format::segment(next))
    }
}

/// The page after a failed sign-in through a provider.
#[derive(Debug, Template)]
#[template(path = "provider-error.html")]
pub struct UpstreamPage {
    pub shell: Shell,
    /// The name of the provider, if the id is known.
    pub provider: Option<String>,
    pub message: String,
}
