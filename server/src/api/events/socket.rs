//! `GET /ws`

use axum::{
    extract::{WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::Response,
};

use super::{EventsQuery, OriginCheck, PermittedStream};
use crate::{
    error::Problem,
    extract::Query,
    live::{self, VaultViewer},
};

/// The events of one vault as a WebSocket. The vault is `?vault=`, by default `main`.
pub async fn handle(
    PermittedStream { caller, permit }: PermittedStream,
    Query(query): Query<EventsQuery>,
    own: OriginCheck,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    live::check_socket_origin(&caller, &own.parts.headers, |origin| own.is_own(origin))
        .inspect_err(|error| own.audit_denial(&caller, error))?;
    let upgrade = upgrade.map_err(|_| Problem::WebSocketRequired)?;
    let (auth, hub) = (own.state.auth.clone(), own.state.hub.clone());
    let slot = own.open_stream(&caller)?;
    let viewer = VaultViewer::new(auth, caller, &permit, slot);
    Ok(live::ws(upgrade, hub, viewer, query.since)
        .await
        .map_err(auth::AuthError::Store)?)
}
