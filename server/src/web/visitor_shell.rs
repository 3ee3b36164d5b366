//! The frame of a page for a user who has not signed in.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::Shell;
use crate::{host, state::AppState};

/// Says where the installation is, if the page was opened at an address where sign-in does not work.
#[derive(Debug)]
pub(crate) struct VisitorShell(pub(crate) Shell);

impl FromRequestParts<AppState> for VisitorShell {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let url = host::proper_url(&parts.headers, &parts.extensions, &state.site);
        Ok(Self(Shell {
            proper_url: url.map(ToOwned::to_owned),
            ..Shell::default()
        }))
    }
}
