//! `GET /auth/identities`

use auth::{Interactive, upstream::identity_id};
use axum::{Json, extract::State};
use wire::{Identities, IdentityInfo, ProviderInfo};

use crate::{error::Problem, state::Auth};

/// List the configured OIDC providers, and the identities linked to the account.
#[utoipa::path(get, path = "/auth/identities", tag = "Accounts",
    responses((status = 200, description = "The providers and the linked identities.", body = Identities)))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
) -> Result<Json<Identities>, Problem> {
    let identities = auth.upstream().identities(&caller).await?;
    let name_of_provider = |id: &str| {
        auth.upstream()
            .providers()
            .iter()
            .find(|provider| provider.id == id)
            .map(|provider| provider.name.clone())
    };
    let identities = identities.into_iter().map(|identity| IdentityInfo {
        id: identity_id(&identity.issuer, &identity.subject),
        provider_name: name_of_provider(&identity.provider)
            .unwrap_or_else(|| identity.provider.clone()),
        provider: identity.provider,
        known_as: identity.display_hint,
        linked_at: identity.linked_at,
        last_used_at: identity.last_used_at,
    });
    let identities = identities.collect();
    let providers = auth
        .upstream()
        .providers()
        .iter()
        .map(|provider| ProviderInfo {
            id: provider.id.clone(),
            name: provider.name.clone(),
        });
    Ok(Json(Identities {
        providers: providers.collect(),
        identities,
    }))
}
