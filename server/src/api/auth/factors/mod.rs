//! The caller's second factors.

pub mod list;
pub mod remove;
pub mod rename;

use auth::{Factor, FactorId, factor::EnrolledFactor};
use axum::extract::FromRequestParts;
use http::request::Parts;
use wire::{FactorAdded, FactorInfo};

use crate::{error::Problem, extract::path_param, state::AppState};

/// The `{id}` of the path.
#[derive(Debug)]
pub struct FactorIdParam(pub FactorId);

impl FromRequestParts<AppState> for FactorIdParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(FactorId::new(&path_param(parts, state, "id").await?)))
    }
}

pub(crate) fn info(factor: &Factor) -> FactorInfo {
    FactorInfo {
        id: factor.id.to_string(),
        kind: factor.kind.as_str().to_owned(),
        name: factor.name.clone(),
        created_at: factor.created_at,
        last_used_at: factor.last_used_at,
    }
}

pub(crate) fn factor_added(enrolled: &EnrolledFactor) -> FactorAdded {
    let codes = enrolled
        .recovery_codes
        .iter()
        .map(auth::factor::RecoveryCode::expose);
    FactorAdded {
        factor: info(&enrolled.factor),
        recovery_codes: codes.collect(),
    }
}
