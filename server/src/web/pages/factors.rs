//! `GET /account/factors`, also for sessions that must enroll a factor first.

use std::sync::Arc;

use askama::Template;
use auth::{AllowRestricted, FactorKind, FactorKinds};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use wire::FactorOverview;

use crate::{
    api::auth::factors::list,
    error::Problem,
    state::{Auth, SiteInfo, Store},
    web::{
        Shell, format,
        pages::{send, shell},
    },
};

/// With this many recovery codes left or fewer, the page asks for new ones.
const FEW_CODES: usize = 3;

/// `GET /sign-in/second`, and `POST /sign-in/second` after an error. The form posts `otp` and
/// `next`.
#[derive(Debug, Template)]
#[template(path = "mfa.html")]
pub struct MfaPage {
    pub shell: Shell,
    pub username: String,
    pub factors: FactorKinds,
    pub next: String,
    pub message: Option<String>,
    /// The origin where passkeys work, if they are enabled.
    pub passkey_origin: Option<String>,
}

impl MfaPage {
    pub fn has_app(&self) -> bool {
        self.factors.contains(FactorKind::Totp)
    }

    pub fn has_passkey(&self) -> bool {
        self.factors.contains(FactorKind::Passkey) && self.passkey_origin.is_some()
    }

    pub fn has_codes(&self) -> bool {
        self.factors.contains(FactorKind::Recovery)
    }
}

/// `GET /account/factors`. The handler supplies the answer of `GET /auth/factors`, and whether one
/// must be set up first.
#[derive(Debug, Template)]
#[template(path = "factors.html")]
pub struct FactorsPage {
    pub shell: Shell,
    pub overview: FactorOverview,
    pub is_enrollment_required: bool,
    /// The origin where passkeys work, if they are enabled.
    pub passkey_origin: Option<String>,
}

impl FactorsPage {
    pub fn app(&self) -> Option<&wire::FactorInfo> {
        self.overview
            .factors
            .iter()
            .find(|factor| factor.kind == "totp")
    }

    pub fn passkeys(&self) -> Vec<&wire::FactorInfo> {
        self.overview
            .factors
            .iter()
            .filter(|factor| factor.kind == "passkey")
            .collect()
    }

    pub fn has_any(&self) -> bool {
        !self.overview.factors.is_empty()
    }

    pub fn has_few_codes(&self) -> bool {
        self.overview.recovery_codes_left <= FEW_CODES
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }
}

pub(crate) async fn page(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
    State(store): State<Store>,
    State(site): State<Arc<SiteInfo>>,
) -> Result<Response, Problem> {
    let shell = shell(&auth, &store, &caller, None).await?;
    let is_due = caller.restriction().is_some();
    let Json(overview) = list::handle(AllowRestricted(caller), State(auth)).await?;
    send(
        StatusCode::OK,
        &FactorsPage {
            shell,
            overview,
            is_enrollment_required: is_due,
            passkey_origin: site.passkey_origin.clone(),
        },
    )
}
