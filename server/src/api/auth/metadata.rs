//! `GET /.well-known/oauth-authorization-server` (RFC 8414)

use std::sync::Arc;

use auth::{Anyone, Scopes};
use axum::{Json, extract::State};
use wire::AuthorizationServer;

use crate::{config::Toggle, state::SiteInfo};

/// Show the authorization server metadata (RFC 8414).
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "Accounts",
    responses((status = 200, description = "RFC 8414 metadata.", body = AuthorizationServer)))]
pub async fn handle(_: Anyone, State(site): State<Arc<SiteInfo>>) -> Json<AuthorizationServer> {
    let url = &site.config.public_url;
    let at = |path: &str| format!("{url}{path}");
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let mut grants = ["authorization_code", device, "refresh_token"]
        .map(str::to_owned)
        .to_vec();
    let none = || vec!["none".to_owned()];
    if site.config.password_grant == Toggle::On {
        grants.push("password".to_owned());
    }
    Json(AuthorizationServer {
        issuer: url.clone(),
        authorization_endpoint: at("/auth/authorize"),
        device_authorization_endpoint: at("/auth/device"),
        token_endpoint: at("/auth/token"),
        revocation_endpoint: at("/auth/revoke"),
        introspection_endpoint: at("/auth/introspect"),
        jwks_uri: at("/.well-known/jwks.json"),
        response_types_supported: vec!["code".to_owned()],
        response_modes_supported: vec!["query".to_owned()],
        grant_types_supported: grants,
        code_challenge_methods_supported: vec!["S256".to_owned()],
        scopes_supported: Scopes::ALL
            .iter()
            .map(|grant| grant.as_str().to_owned())
            .collect(),
        authorization_response_iss_parameter_supported: true,
        token_endpoint_auth_methods_supported: none(),
        revocation_endpoint_auth_methods_supported: none(),
        introspection_endpoint_auth_methods_supported: vec!["Bearer".to_owned()],
        service_documentation: at("/docs"),
    })
}

pub mod jwks {
    //! `GET /.well-known/jwks.json` (RFC 7517). The media type is plain JSON, which every client
    //! accepts. The response is not cacheable, so that no cache keeps a revoked key.

    use auth::Anyone;
    use axum::{Json, extract::State};

    use crate::state::Auth;

    /// Show the public keys that verify access tokens (RFC 7517).
    #[utoipa::path(get, path = "/.well-known/jwks.json", tag = "Accounts",
        responses((status = 200, description = "The key set. It is empty while HS256 signs.", body = serde_json::Value)))]
    pub async fn handle(_: Anyone, State(auth): State<Auth>) -> Json<serde_json::Value> {
        Json(auth.keys().jwks())
    }
}
