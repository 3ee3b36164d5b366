//! `GET /ws`

use axum::{
    extract::{WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::Response,
};

use super::{Asked, OwnOrigin, Watching};
use crate::{
    error::Problem,
    extract::Query,
    live::{self, Viewer},
};

/// The events of one vault as a WebSocket. The vault is `?vault=`, by default `main`.
pub async fn handle(
    Watching { caller, permit }: Watching,
    Query(asked): Query<Asked>,
    own: OwnOrigin,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    live::refuse_foreign_socket(&caller, &own.parts.headers, |origin| own.is(origin))
        .inspect_err(|why| own.note_refusal(&caller, why))?;
    let upgrade = upgrade.map_err(|_| Problem::NotASocket)?;
    let (auth, hub) = (own.state.auth.clone(), own.state.hub.clone());
    let viewer = Viewer::new(auth, caller, &permit);
    Ok(live::ws(upgrade, hub, viewer, asked.since)
        .await
        .map_err(auth::AuthError::Store)?)
}
