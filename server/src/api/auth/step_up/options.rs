//! `GET /auth/step-up`

use auth::{AllowRestricted, FactorKind};
use axum::{Json, extract::State};
use wire::{ProviderInfo, StepUpOptions};

use crate::{error::Problem, state::Auth};

/// Show the ways in which the account can complete a step-up (RFC 9470).
#[utoipa::path(get, path = "/auth/step-up", tag = "Second factors",
    responses((status = 200, description = "The available factors and providers, and whether the last sign-in is recent.", body = StepUpOptions)))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<StepUpOptions>, Problem> {
    let factors = caller.factors();
    let identities = auth.upstream().identities(&caller).await?;
    let providers = auth.upstream().providers().iter().filter(|provider| {
        identities
            .iter()
            .any(|identity| identity.provider == provider.id)
    });
    Ok(Json(StepUpOptions {
        recent: caller.require_recent().is_ok(),
        max_age: auth.settings().step_up.max_age.as_secs(),
        otp: factors.is_enrolled(),
        app: factors.contains(FactorKind::Totp),
        passkey: factors.contains(FactorKind::Passkey),
        providers: providers
            .map(|provider| ProviderInfo {
                id: provider.id.clone(),
                name: provider.name.clone(),
            })
            .collect(),
    }))
}
